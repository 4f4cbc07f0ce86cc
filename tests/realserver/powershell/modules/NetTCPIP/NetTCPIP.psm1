# SPDX-License-Identifier: ISC
. (Join-Path $PSScriptRoot '../../common.ps1')

function Select-Interfaces($Cmdlet, $Machine, $InterfaceIndex, $InterfaceAlias, $AddressFamily)
{
	$all = @($Machine.interfaces)
	if ($null -ne $AddressFamily -and $AddressFamily.Count -gt 0) { $all = @($all | Where-Object { $AddressFamily -contains $_.AddressFamily }) }
	$all = @(Select-MockByProperty $Cmdlet 'MSFT_NetIPInterface' 'InterfaceIndex' $InterfaceIndex $all $false)
	return @(Select-MockByProperty $Cmdlet 'MSFT_NetIPInterface' 'InterfaceAlias' $InterfaceAlias $all $true)
}

function Get-NetIPInterface
{
	[CmdletBinding(DefaultParameterSetName = 'ByName')]
	param(
		[Parameter(ValueFromPipelineByPropertyName = $true)] [Alias('ifIndex')] [uint32[]] $InterfaceIndex,
		[Parameter(Position = 0, ValueFromPipelineByPropertyName = $true)] [Alias('ifAlias')] [string[]] $InterfaceAlias,
		[ValidateSet('IPv4', 'IPv6')] [string[]] $AddressFamily,
		[ValidateSet('Enabled', 'Disabled')] [string[]] $WeakHostSend,
		[ValidateSet('Enabled', 'Disabled')] [string[]] $WeakHostReceive,
		[ValidateSet('Enabled', 'Disabled')] [string[]] $Dhcp,
		[ValidateSet('Disconnected', 'Connected')] [string[]] $ConnectionState,
		[ValidateSet('ActiveStore', 'PersistentStore')] [string] $PolicyStore
	)
	process {
		$machine = Read-MockWindows
		$found = @(Select-Interfaces $PSCmdlet $machine $InterfaceIndex $InterfaceAlias $AddressFamily)
		foreach ($property in 'WeakHostSend', 'WeakHostReceive', 'Dhcp', 'ConnectionState') {
			if ($PSBoundParameters.ContainsKey($property)) { $found = @(Select-MockPlain $found $property $PSBoundParameters[$property]) }
		}
		return $found
	}
}

function Set-NetIPInterface
{
	[CmdletBinding(SupportsShouldProcess = $true)]
	param(
		[Parameter(ValueFromPipelineByPropertyName = $true)] [Alias('ifIndex')] [uint32[]] $InterfaceIndex,
		[Parameter(Position = 0, ValueFromPipelineByPropertyName = $true)] [Alias('ifAlias')] [string[]] $InterfaceAlias,
		[ValidateSet('IPv4', 'IPv6')] [string[]] $AddressFamily,
		[ValidateSet('Enabled', 'Disabled')] [string] $WeakHostSend,
		[ValidateSet('Enabled', 'Disabled')] [string] $WeakHostReceive,
		[ValidateSet('Enabled', 'Disabled')] [string] $Forwarding,
		[ValidateSet('Enabled', 'Disabled')] [string] $Dhcp,
		[ValidateSet('Enabled', 'Disabled')] [string] $AutomaticMetric,
		[uint32] $InterfaceMetric,
		[uint32] $DadTransmits,
		[uint32] $NlMtuBytes,
		[ValidateSet('ActiveStore', 'PersistentStore')] [string] $PolicyStore,
		[switch] $PassThru
	)
	process {
		if (Test-MockFault 'Set-NetIPInterface') {
			$PSCmdlet.WriteError((New-MockError 'The parameter is incorrect. ' 'Windows System Error 87,Set-NetIPInterface' 'InvalidArgument' $null))
			return
		}
		$machine = Read-MockWindows
		foreach ($one in @(Select-Interfaces $PSCmdlet $machine $InterfaceIndex $InterfaceAlias $AddressFamily)) {
			if (-not $PSCmdlet.ShouldProcess("$($one.InterfaceAlias) $($one.AddressFamily)", 'Set-NetIPInterface')) { continue }
			foreach ($property in 'WeakHostSend', 'WeakHostReceive', 'Forwarding', 'Dhcp', 'AutomaticMetric', 'InterfaceMetric', 'DadTransmits', 'NlMtuBytes') {
				if ($PSBoundParameters.ContainsKey($property)) {
					$one.$property = $PSBoundParameters[$property]
					Write-MockLog "interface $($one.InterfaceAlias) $($one.AddressFamily) $property=$($one.$property)"
				}
			}
			if ($PSBoundParameters.ContainsKey('InterfaceMetric')) { $one.AutomaticMetric = 'Disabled' }
			if ($PassThru) { $one }
		}
		Write-MockWindows $machine
	}
}

# Duplicate address detection: an address is Tentative at the first look.
function Get-NetIPAddress
{
	[CmdletBinding(DefaultParameterSetName = 'ByName')]
	param(
		[Parameter(Position = 0, ValueFromPipelineByPropertyName = $true)] [Alias('LocalAddress')] [string[]] $IPAddress,
		[Alias('ifIndex')] [uint32[]] $InterfaceIndex,
		[Alias('ifAlias')] [string[]] $InterfaceAlias,
		[ValidateSet('IPv4', 'IPv6')] [string[]] $AddressFamily,
		[ValidateSet('Unicast', 'Anycast')] [string[]] $Type,
		[byte[]] $PrefixLength,
		[bool[]] $SkipAsSource,
		[ValidateSet('ActiveStore', 'PersistentStore')] [string] $PolicyStore
	)
	process {
		$machine = Read-MockWindows
		$all = @($machine.addresses)
		if ($null -ne $AddressFamily -and $AddressFamily.Count -gt 0) { $all = @($all | Where-Object { $AddressFamily -contains $_.AddressFamily }) }
		$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetIPAddress' 'InterfaceIndex' $InterfaceIndex $all $false)
		$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetIPAddress' 'InterfaceAlias' $InterfaceAlias $all $true)
		$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetIPAddress' 'IPAddress' $IPAddress $all $true)
		if ($PSBoundParameters.ContainsKey('SkipAsSource')) { $all = @(Select-MockPlain $all 'SkipAsSource' $SkipAsSource) }
		if ($PSBoundParameters.ContainsKey('PrefixLength')) { $all = @(Select-MockPlain $all 'PrefixLength' $PrefixLength) }
		if ($machine.duplicateDetection -gt 0) {
			$machine.duplicateDetection--
			if ($machine.duplicateDetection -eq 0) { foreach ($one in $machine.addresses) { if ($one.AddressState -eq 'Tentative') { $one.AddressState = 'Preferred' } } }
			Write-MockWindows $machine
		}
		return $all
	}
}

function New-NetIPAddress
{
	[CmdletBinding(DefaultParameterSetName = 'ByInterfaceAlias', SupportsShouldProcess = $true)]
	param(
		[Parameter(Mandatory = $true, Position = 0, ValueFromPipelineByPropertyName = $true)] [Alias('LocalAddress')] [string] $IPAddress,
		[Parameter(Mandatory = $true, ParameterSetName = 'ByInterfaceAlias', ValueFromPipelineByPropertyName = $true)] [Alias('ifAlias')] [string] $InterfaceAlias,
		[Parameter(Mandatory = $true, ParameterSetName = 'ByInterfaceIndex', ValueFromPipelineByPropertyName = $true)] [Alias('ifIndex')] [uint32] $InterfaceIndex,
		[string] $DefaultGateway,
		[ValidateSet('IPv4', 'IPv6')] [string] $AddressFamily,
		[ValidateSet('Unicast', 'Anycast')] [string] $Type,
		[byte] $PrefixLength,
		[timespan] $ValidLifetime,
		[timespan] $PreferredLifetime,
		[bool] $SkipAsSource,
		[ValidateSet('ActiveStore', 'PersistentStore')] [string] $PolicyStore
	)
	process {
		if (Test-MockFault 'New-NetIPAddress') {
			$PSCmdlet.WriteError((New-MockError 'The parameter is incorrect. ' 'Windows System Error 87,New-NetIPAddress' 'InvalidArgument' $null))
			return
		}
		$machine = Read-MockWindows
		$family = 'IPv4'
		if ($IPAddress.Contains(':')) { $family = 'IPv6' }
		$on = @($machine.interfaces | Where-Object {
			$_.AddressFamily -eq $family -and ($_.InterfaceAlias -eq $InterfaceAlias -or
				($PSCmdlet.ParameterSetName -eq 'ByInterfaceIndex' -and $_.InterfaceIndex -eq $InterfaceIndex)) })
		if ($on.Count -eq 0) {
			$PSCmdlet.WriteError((New-MockError "Invalid parameter InterfaceAlias $InterfaceAlias" 'InvalidParameter,New-NetIPAddress' 'InvalidArgument' $InterfaceAlias))
			return
		}
		$on = $on[0]
		if (@($machine.addresses | Where-Object { $_.IPAddress -eq $IPAddress }).Count -gt 0) {
			$PSCmdlet.WriteError((New-MockError 'Instance MSFT_NetIPAddress already exists ' 'Windows System Error 5010,New-NetIPAddress' 'ResourceExists' $IPAddress))
			return
		}
		if (-not $PSCmdlet.ShouldProcess($IPAddress, 'New-NetIPAddress')) { return }
		$length = 32
		if ($family -eq 'IPv6') { $length = 64 }
		if ($PSBoundParameters.ContainsKey('PrefixLength')) { $length = [int] $PrefixLength }
		$state = 'Preferred'
		if ($on.DadTransmits -gt 0) { $state = 'Tentative'; $machine.duplicateDetection = 3 }
		$new = New-Object PSObject -Property ([ordered] @{ IPAddress = $IPAddress; InterfaceIndex = $on.InterfaceIndex
			InterfaceAlias = $on.InterfaceAlias; AddressFamily = $family; Type = 'Unicast'; PrefixLength = $length; PrefixOrigin = 'Manual'
			SuffixOrigin = 'Manual'; AddressState = $state; SkipAsSource = [bool] $SkipAsSource })
		$machine.addresses = @($machine.addresses) + $new
		# A manual address turns DHCP off.
		if ($on.Dhcp -eq 'Enabled') { $on.Dhcp = 'Disabled'; Write-MockLog "interface $($on.InterfaceAlias) $family Dhcp=Disabled" }
		Write-MockWindows $machine
		Write-MockLog "address $IPAddress/$length on $($on.InterfaceAlias) SkipAsSource=$([bool] $SkipAsSource)"
		$new
	}
}

function Remove-NetIPAddress
{
	[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
	param(
		[Parameter(Position = 0, ValueFromPipelineByPropertyName = $true)] [Alias('LocalAddress')] [string[]] $IPAddress,
		[Parameter(ValueFromPipelineByPropertyName = $true)] [Alias('ifIndex')] [uint32[]] $InterfaceIndex,
		[Parameter(ValueFromPipelineByPropertyName = $true)] [Alias('ifAlias')] [string[]] $InterfaceAlias,
		[ValidateSet('IPv4', 'IPv6')] [string[]] $AddressFamily,
		[byte[]] $PrefixLength,
		[bool[]] $SkipAsSource,
		[string] $DefaultGateway,
		[ValidateSet('ActiveStore', 'PersistentStore')] [string] $PolicyStore,
		[switch] $PassThru
	)
	process {
		if (Test-MockFault 'Remove-NetIPAddress') {
			$PSCmdlet.WriteError((New-MockError 'Element not found. ' 'Windows System Error 1168,Remove-NetIPAddress' 'ObjectNotFound' $null))
			return
		}
		$machine = Read-MockWindows
		$all = @($machine.addresses)
		$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetIPAddress' 'InterfaceIndex' $InterfaceIndex $all $false)
		$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetIPAddress' 'InterfaceAlias' $InterfaceAlias $all $true)
		$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetIPAddress' 'IPAddress' $IPAddress $all $true)
		foreach ($one in $all) {
			if (-not $PSCmdlet.ShouldProcess($one.IPAddress, 'Remove-NetIPAddress')) { continue }
			$machine.addresses = @($machine.addresses | Where-Object { -not ($_.IPAddress -eq $one.IPAddress -and $_.InterfaceIndex -eq $one.InterfaceIndex) })
			Write-MockLog "no address $($one.IPAddress) on $($one.InterfaceAlias)"
			if ($PassThru) { $one }
		}
		if (@($machine.addresses | Where-Object { $_.AddressState -eq 'Tentative' }).Count -eq 0) { $machine.duplicateDetection = 0 }
		Write-MockWindows $machine
	}
}

function Set-NetIPAddress
{
	[CmdletBinding(SupportsShouldProcess = $true)]
	param(
		[Parameter(Position = 0)] [string[]] $IPAddress,
		[uint32[]] $InterfaceIndex,
		[string[]] $InterfaceAlias,
		[byte] $PrefixLength,
		[bool] $SkipAsSource
	)
	$machine = Read-MockWindows
	$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetIPAddress' 'InterfaceAlias' $InterfaceAlias @($machine.addresses) $true)
	foreach ($one in @(Select-MockByProperty $PSCmdlet 'MSFT_NetIPAddress' 'IPAddress' $IPAddress $all $true)) {
		if (-not $PSCmdlet.ShouldProcess($one.IPAddress, 'Set-NetIPAddress')) { continue }
		if ($PSBoundParameters.ContainsKey('PrefixLength')) { $one.PrefixLength = [int] $PrefixLength }
		if ($PSBoundParameters.ContainsKey('SkipAsSource')) { $one.SkipAsSource = $SkipAsSource }
		Write-MockLog "address $($one.IPAddress) changed"
	}
	Write-MockWindows $machine
}

function Get-NetRoute
{
	[CmdletBinding()]
	param(
		[Parameter(Position = 0)] [string[]] $DestinationPrefix,
		[Alias('ifIndex')] [uint32[]] $InterfaceIndex,
		[Alias('ifAlias')] [string[]] $InterfaceAlias,
		[string[]] $NextHop,
		[ValidateSet('IPv4', 'IPv6')] [string[]] $AddressFamily,
		[ValidateSet('ActiveStore', 'PersistentStore')] [string] $PolicyStore
	)
	$machine = Read-MockWindows
	$all = @($machine.routes)
	if ($null -ne $AddressFamily -and $AddressFamily.Count -gt 0) { $all = @($all | Where-Object { $AddressFamily -contains $_.AddressFamily }) }
	$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetRoute' 'InterfaceIndex' $InterfaceIndex $all $false)
	$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetRoute' 'InterfaceAlias' $InterfaceAlias $all $true)
	return @(Select-MockByProperty $PSCmdlet 'MSFT_NetRoute' 'DestinationPrefix' $DestinationPrefix $all $true)
}
