# SPDX-License-Identifier: ISC
. (Join-Path $PSScriptRoot '../../common.ps1')

function Get-NetAdapter
{
	[CmdletBinding(DefaultParameterSetName = 'ByName')]
	param(
		[Parameter(Position = 0, ParameterSetName = 'ByName')] [Alias('ifAlias', 'InterfaceAlias')] [string[]] $Name,
		[Parameter(ParameterSetName = 'ByInstanceID')] [Alias('ifDesc')] [string[]] $InterfaceDescription,
		[Parameter(ParameterSetName = 'ByIfIndex')] [Alias('ifIndex')] [uint32[]] $InterfaceIndex,
		[switch] $IncludeHidden,
		[switch] $Physical
	)
	$all = @((Read-MockWindows).adapters)
	$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetAdapter' 'ifIndex' $InterfaceIndex $all $false)
	$all = @(Select-MockByProperty $PSCmdlet 'MSFT_NetAdapter' 'InterfaceDescription' $InterfaceDescription $all $true)
	return @(Select-MockByProperty $PSCmdlet 'MSFT_NetAdapter' 'Name' $Name $all $true)
}

function Select-Bindings($Cmdlet, $Machine, $Name, $ComponentID)
{
	$all = @(Select-MockByProperty $Cmdlet 'MSFT_NetAdapterBindingSettingData' 'Name' $Name @($Machine.bindings) $true)
	if ($all.Count -eq 0) { return }
	return @(Select-MockByProperty $Cmdlet 'MSFT_NetAdapterBindingSettingData' 'ComponentID' $ComponentID $all $true)
}

function Get-NetAdapterBinding
{
	[CmdletBinding()]
	param(
		[Parameter(Position = 0)] [Alias('ifAlias', 'InterfaceAlias')] [string[]] $Name,
		[string[]] $ComponentID,
		[string[]] $DisplayName,
		[switch] $AllBindings
	)
	return @(Select-Bindings $PSCmdlet (Read-MockWindows) $Name $ComponentID)
}

function Set-Binding($Cmdlet, $Name, $ComponentID, [bool] $Enabled)
{
	if (Test-MockFault $Cmdlet.MyInvocation.MyCommand.Name) {
		$Cmdlet.WriteError((New-MockError 'The requested operation could not be completed.' 'Windows System Error 31' 'NotSpecified' $Name))
		return
	}
	$machine = Read-MockWindows
	foreach ($one in @(Select-Bindings $Cmdlet $machine $Name $ComponentID)) {
		if (-not $Cmdlet.ShouldProcess("$($one.Name) $($one.ComponentID)", $Cmdlet.MyInvocation.MyCommand.Name)) { continue }
		$one.Enabled = $Enabled
		Write-MockLog "binding $($one.ComponentID) of $($one.Name) Enabled=$Enabled"
	}
	Write-MockWindows $machine
}

function Enable-NetAdapterBinding
{
	[CmdletBinding(SupportsShouldProcess = $true)]
	param([Parameter(Mandatory = $true, Position = 0)] [Alias('ifAlias', 'InterfaceAlias')] [string[]] $Name, [string[]] $ComponentID, [string[]] $DisplayName, [switch] $AllBindings, [switch] $PassThru)
	Set-Binding $PSCmdlet $Name $ComponentID $true
}

function Disable-NetAdapterBinding
{
	[CmdletBinding(SupportsShouldProcess = $true)]
	param([Parameter(Mandatory = $true, Position = 0)] [Alias('ifAlias', 'InterfaceAlias')] [string[]] $Name, [string[]] $ComponentID, [string[]] $DisplayName, [switch] $AllBindings, [switch] $PassThru)
	Set-Binding $PSCmdlet $Name $ComponentID $false
}

function Rename-NetAdapter
{
	[CmdletBinding(SupportsShouldProcess = $true)]
	param([Parameter(Mandatory = $true, Position = 0)] [string] $Name, [Parameter(Mandatory = $true, Position = 1)] [string] $NewName)
	$machine = Read-MockWindows
	foreach ($one in $machine.adapters) { if ($one.Name -eq $Name) { $one.Name = $NewName } }
	foreach ($one in $machine.bindings) { if ($one.Name -eq $Name) { $one.Name = $NewName } }
	foreach ($list in $machine.interfaces, $machine.addresses, $machine.routes, $machine.dns) {
		foreach ($one in $list) { if ($one.InterfaceAlias -eq $Name) { $one.InterfaceAlias = $NewName } }
	}
	Write-MockWindows $machine
}
