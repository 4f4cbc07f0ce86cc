# SPDX-License-Identifier: ISC
. (Join-Path $PSScriptRoot '../../common.ps1')

function Select-Rules($Cmdlet, $Machine, $Name, $DisplayName, $Group)
{
	$all = @(Select-MockByProperty $Cmdlet 'MSFT_NetFirewallRule' 'InstanceID' $Name @($Machine.rules) $true)
	$all = @(Select-MockByProperty $Cmdlet 'MSFT_NetFirewallRule' 'DisplayName' $DisplayName $all $true)
	return @(Select-MockByProperty $Cmdlet 'MSFT_NetFirewallRule' 'RuleGroup' $Group $all $true)
}

function Get-NetFirewallRule
{
	[CmdletBinding(DefaultParameterSetName = 'GetAll')]
	param(
		[Parameter(Position = 0, ParameterSetName = 'ByName')] [Alias('ID')] [string[]] $Name,
		[Parameter(ParameterSetName = 'ByDisplayName')] [string[]] $DisplayName,
		[Parameter(ParameterSetName = 'ByGroup')] [string[]] $Group,
		[Parameter(ParameterSetName = 'GetAll')] [switch] $All,
		[string] $PolicyStore
	)
	return @(Select-Rules $PSCmdlet (Read-MockWindows) $Name $DisplayName $Group)
}

function New-NetFirewallRule
{
	[CmdletBinding(SupportsShouldProcess = $true)]
	param(
		[Alias('ID')] [string] $Name = [guid]::NewGuid().ToString(),
		[Parameter(Mandatory = $true)] [string] $DisplayName,
		[string] $Description,
		[string] $Group,
		[ValidateSet('True', 'False')] [string] $Enabled = 'True',
		[ValidateSet('Any', 'Domain', 'Private', 'Public', 'NotApplicable')] [string[]] $Profile = @('Any'),
		[ValidateSet('Inbound', 'Outbound')] [string] $Direction = 'Inbound',
		[ValidateSet('NotConfigured', 'Allow', 'Block')] [string] $Action = 'Allow',
		[string[]] $LocalAddress = @('Any'),
		[string[]] $RemoteAddress = @('Any'),
		[string] $Protocol = 'Any',
		[string[]] $LocalPort = @('Any'),
		[string[]] $RemotePort = @('Any'),
		[string[]] $InterfaceAlias,
		[string] $PolicyStore
	)
	if (Test-MockFault 'New-NetFirewallRule') {
		$PSCmdlet.WriteError((New-MockError 'Access is denied. ' 'Windows System Error 5,New-NetFirewallRule' 'PermissionDenied' $Name))
		return
	}
	$machine = Read-MockWindows
	if (@($machine.rules | Where-Object { $_.InstanceID -eq $Name }).Count -gt 0) {
		$PSCmdlet.WriteError((New-MockError 'Cannot create a file when that file already exists. ' 'Windows System Error 183,New-NetFirewallRule' 'ResourceExists' $Name))
		return
	}
	if ($Protocol -notmatch '^(TCP|UDP|6|17)$' -and -not ($LocalPort.Count -eq 1 -and $LocalPort[0] -eq 'Any')) {
		$PSCmdlet.WriteError((New-MockError 'A port can only be specified if the protocol is TCP or UDP.' 'HRESULT 0x80070057,New-NetFirewallRule' 'InvalidArgument' $Name))
		return
	}
	foreach ($port in $LocalPort) {
		if ($port -ne 'Any' -and $port -notmatch '^[0-9]+(-[0-9]+)?$') {
			$PSCmdlet.WriteError((New-MockError 'The port is invalid.' 'HRESULT 0x80070057,New-NetFirewallRule' 'InvalidArgument' $port))
			return
		}
	}
	if (-not $PSCmdlet.ShouldProcess($DisplayName, 'New-NetFirewallRule')) { return }
	$new = New-Object PSObject -Property ([ordered] @{ Name = $Name; InstanceID = $Name; DisplayName = $DisplayName; RuleGroup = $Group; Enabled = $Enabled; Profile = ($Profile -join ', ')
		Direction = $Direction; Action = $Action; Protocol = $Protocol; LocalAddress = $LocalAddress; LocalPort = $LocalPort })
	$machine.rules = @($machine.rules) + $new
	Write-MockWindows $machine
	Write-MockLog "rule $Name $Direction $Action $Protocol $($LocalAddress -join ',') $($LocalPort -join ',')"
	$new
}

function Remove-NetFirewallRule
{
	[CmdletBinding(SupportsShouldProcess = $true)]
	param(
		[Parameter(Position = 0, ParameterSetName = 'ByName')] [Alias('ID')] [string[]] $Name,
		[Parameter(ParameterSetName = 'ByDisplayName')] [string[]] $DisplayName,
		[Parameter(ParameterSetName = 'ByGroup')] [string[]] $Group
	)
	if (Test-MockFault 'Remove-NetFirewallRule') {
		$PSCmdlet.WriteError((New-MockError 'Access is denied. ' 'Windows System Error 5,Remove-NetFirewallRule' 'PermissionDenied' $Name))
		return
	}
	$machine = Read-MockWindows
	foreach ($one in @(Select-Rules $PSCmdlet $machine $Name $DisplayName $Group)) {
		if (-not $PSCmdlet.ShouldProcess($one.DisplayName, 'Remove-NetFirewallRule')) { continue }
		$machine.rules = @($machine.rules | Where-Object { $_.InstanceID -ne $one.InstanceID })
		Write-MockLog "no rule $($one.Name)"
	}
	Write-MockWindows $machine
}

function Set-NetFirewallRule
{
	[CmdletBinding(SupportsShouldProcess = $true)]
	param(
		[Parameter(Mandatory = $true, Position = 0)] [string[]] $Name,
		[ValidateSet('True', 'False')] [string] $Enabled,
		[string[]] $LocalAddress,
		[string[]] $LocalPort
	)
	$machine = Read-MockWindows
	foreach ($one in @(Select-Rules $PSCmdlet $machine $Name $null $null)) {
		if (-not $PSCmdlet.ShouldProcess($one.DisplayName, 'Set-NetFirewallRule')) { continue }
		foreach ($property in 'Enabled', 'LocalAddress', 'LocalPort') {
			if ($PSBoundParameters.ContainsKey($property)) { $one.$property = $PSBoundParameters[$property] }
		}
		Write-MockLog "rule $($one.Name) changed"
	}
	Write-MockWindows $machine
}

function Get-NetFirewallAddressFilter
{
	[CmdletBinding()]
	param([Parameter(ValueFromPipeline = $true)] $AssociatedNetFirewallRule)
	process { $AssociatedNetFirewallRule | Select-Object InstanceID, LocalAddress }
}

function Get-NetFirewallPortFilter
{
	[CmdletBinding()]
	param([Parameter(ValueFromPipeline = $true)] $AssociatedNetFirewallRule)
	process { $AssociatedNetFirewallRule | Select-Object InstanceID, Protocol, LocalPort }
}
