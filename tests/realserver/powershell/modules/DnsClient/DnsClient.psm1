# SPDX-License-Identifier: ISC
. (Join-Path $PSScriptRoot '../../common.ps1')

function Get-DnsClient
{
	[CmdletBinding()]
	param(
		[Parameter(Position = 0)] [string[]] $InterfaceAlias,
		[uint32[]] $InterfaceIndex
	)
	$all = @((Read-MockWindows).dns)
	$all = @(Select-MockByProperty $PSCmdlet 'MSFT_DNSClient' 'InterfaceIndex' $InterfaceIndex $all $false)
	return @(Select-MockByProperty $PSCmdlet 'MSFT_DNSClient' 'InterfaceAlias' $InterfaceAlias $all $true)
}

function Set-DnsClient
{
	[CmdletBinding(SupportsShouldProcess = $true)]
	param(
		[Parameter(Position = 0)] [string[]] $InterfaceAlias,
		[uint32[]] $InterfaceIndex,
		[string] $ConnectionSpecificSuffix,
		[bool] $RegisterThisConnectionsAddress,
		[bool] $UseSuffixWhenRegistering,
		[switch] $ResetConnectionSpecificSuffix,
		[switch] $PassThru
	)
	if (Test-MockFault 'Set-DnsClient') {
		$PSCmdlet.WriteError((New-MockError 'The parameter is incorrect. ' 'Windows System Error 87,Set-DnsClient' 'InvalidArgument' $InterfaceAlias))
		return
	}
	$machine = Read-MockWindows
	$all = @(Select-MockByProperty $PSCmdlet 'MSFT_DNSClient' 'InterfaceIndex' $InterfaceIndex @($machine.dns) $false)
	foreach ($one in @(Select-MockByProperty $PSCmdlet 'MSFT_DNSClient' 'InterfaceAlias' $InterfaceAlias $all $true)) {
		if (-not $PSCmdlet.ShouldProcess($one.InterfaceAlias, 'Set-DnsClient')) { continue }
		if ($PSBoundParameters.ContainsKey('RegisterThisConnectionsAddress')) {
			$one.RegisterThisConnectionsAddress = $RegisterThisConnectionsAddress
			Write-MockLog "dns $($one.InterfaceAlias) RegisterThisConnectionsAddress=$RegisterThisConnectionsAddress"
		}
	}
	Write-MockWindows $machine
}
