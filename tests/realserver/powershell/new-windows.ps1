# SPDX-License-Identifier: ISC
#
# Makes the machine of common.ps1.
#   new-windows.ps1 FILE [-KmTest NAME] [-Network NAME] [-NoIPv6Route] [-SecondNetwork NAME]
param(
	[Parameter(Mandatory = $true, Position = 0)] [string] $File,
	[string] $KmTest = '',
	[string] $Network = 'Ethernet',
	[string] $SecondNetwork = '',
	[switch] $NoIPv6Route
)
$pseudo = 'Loopback Pseudo-Interface 1'
$machine = [ordered] @{ duplicateDetection = 0; adapters = @(); bindings = @(); interfaces = @(); addresses = @(); routes = @(); dns = @(); rules = @() }

function Add-Interface([int] $Index, [string] $Alias, [string] $Dhcp, [int] $Dad, [int] $Metric = 25)
{
	foreach ($family in 'IPv4', 'IPv6') {
		$transmits = $Dad
		$configured = $Dhcp
		if ($family -eq 'IPv6') {
			$configured = 'Disabled'
			if ($Dad -gt 0) { $transmits = 1 }
		}
		$machine.interfaces += [ordered] @{ InterfaceIndex = $Index; InterfaceAlias = $Alias; AddressFamily = $family; WeakHostReceive = 'Disabled'; WeakHostSend = 'Disabled'
			Forwarding = 'Disabled'; Dhcp = $configured; DadTransmits = $transmits; AutomaticMetric = 'Enabled'; InterfaceMetric = $Metric; NlMtuBytes = 1500; ConnectionState = 'Connected' }
	}
	$machine.dns += [ordered] @{ InterfaceIndex = $Index; InterfaceAlias = $Alias; ConnectionSpecificSuffix = ''; RegisterThisConnectionsAddress = $true }
}

function Add-Adapter([int] $Index, [string] $Name, [string] $Description)
{
	$machine.adapters += [ordered] @{ Name = $Name; ifIndex = $Index; InterfaceIndex = $Index; InterfaceDescription = $Description; Status = 'Up'; InterfaceGuid = ('{{00000000-0000-0000-0000-{0:d12}}}' -f $Index) }
	foreach ($component in 'ms_msclient', 'ms_server', 'ms_pacer', 'ms_lldp', 'ms_lltdio', 'ms_rspndr', 'ms_tcpip', 'ms_tcpip6') {
		$machine.bindings += [ordered] @{ Name = $Name; ComponentID = $component; Enabled = $true }
	}
}

function Add-Address([string] $Address, [int] $Index, [string] $Alias, [int] $Length)
{
	$family = 'IPv4'
	if ($Address.Contains(':')) { $family = 'IPv6' }
	$origin = 'Manual'
	if ($Address.StartsWith('169.254.')) { $origin = 'WellKnown' }
	$machine.addresses += [ordered] @{ IPAddress = $Address; InterfaceIndex = $Index; InterfaceAlias = $Alias; AddressFamily = $family; Type = 'Unicast'; PrefixLength = $Length
		PrefixOrigin = $origin; SuffixOrigin = $origin; AddressState = 'Preferred'; SkipAsSource = $false }
}

function Add-Route([string] $Prefix, [int] $Index, [string] $Alias, [string] $Hop, [int] $Metric, [int] $InterfaceMetric)
{
	$family = 'IPv4'
	if ($Prefix.Contains(':')) { $family = 'IPv6' }
	$machine.routes += [ordered] @{ DestinationPrefix = $Prefix; InterfaceIndex = $Index; InterfaceAlias = $Alias; AddressFamily = $family; NextHop = $Hop; RouteMetric = $Metric; InterfaceMetric = $InterfaceMetric }
}

Add-Interface 1 $pseudo 'Disabled' 0
Add-Address '127.0.0.1' 1 $pseudo 8
Add-Address '::1' 1 $pseudo 128
Add-Adapter 12 $Network 'Intel(R) 82574L Gigabit Network Connection'
Add-Interface 12 $Network 'Disabled' 3
Add-Address '192.0.2.11' 12 $Network 24
Add-Address '2001:db8::11' 12 $Network 64
Add-Route '0.0.0.0/0' 12 $Network '192.0.2.254' 256 25
if (-not $NoIPv6Route) { Add-Route '::/0' 12 $Network 'fe80::1' 256 25 }
if ($SecondNetwork -ne '') {
	Add-Adapter 14 $SecondNetwork 'Intel(R) 82574L Gigabit Network Connection #2'
	Add-Interface 14 $SecondNetwork 'Disabled' 3 5
	Add-Address '203.0.113.11' 14 $SecondNetwork 24
	Add-Route '0.0.0.0/0' 14 $SecondNetwork '203.0.113.254' 256 5
}
if ($KmTest -ne '') {
	Add-Adapter 20 $KmTest 'Microsoft KM-TEST Loopback Adapter'
	Add-Interface 20 $KmTest 'Enabled' 3
	Add-Address '169.254.17.5' 20 $KmTest 16
}
[IO.File]::WriteAllText($File, (ConvertTo-Json -InputObject $machine -Depth 6))
