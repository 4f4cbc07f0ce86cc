# SPDX-License-Identifier: ISC
<#
.SYNOPSIS
Prepares a Windows real server for Direct Server Return: it accepts packets for the VIP and answers from it.

.DESCRIPTION
For Windows Server 2012 to 2025 (PowerShell 3.0 or later); dsr-realserver.cmd is for older systems. The VIP is put on a
loopback interface, where Windows does not answer ARP for it, and the strong host model, which would drop packets for
an address of another interface, is switched off on the two interfaces concerned and on no other.

The loopback interface is the Microsoft KM-TEST Loopback Adapter if one is installed, else the "Loopback
Pseudo-Interface 1" that every such Windows has; -Loopback names another.

What was before is noted in %ProgramData%\dsr-realserver\state.json, before it is changed, and undo restores it.

This script was never run on any Windows: its syntax was checked, and it follows Microsoft's documentation. Look at what
-DryRun prints first, and keep another way to the server's console.

.PARAMETER Action
apply: do what is not done yet. check: print a line for each item, "ok" or "wrong" with what to type; exit status 1 if
anything is wrong. undo: restore what was.

.PARAMETER Vip
The virtual addresses, IPv4 or IPv6, without a prefix length.

.PARAMETER Interface
Name (alias) or index of the network interface that packets for the VIP arrive on; without it, the one with the default
route.

.PARAMETER Loopback
Name (alias) or index of the loopback interface.

.PARAMETER Port
Ports that the firewall is to open, for the VIPs only. Without it no firewall rule is made.

.PARAMETER Protocol
TCP (default) or UDP, or both.

.PARAMETER DryRun
Print the commands, change nothing.

.EXAMPLE
.\dsr-realserver.ps1 apply -Vip 192.0.2.10,2001:db8::10 -Port 80,443

.EXAMPLE
.\dsr-realserver.ps1 check
#>
[CmdletBinding()]
param(
	[Parameter(Mandatory = $true, Position = 0)]
	[ValidateSet('apply', 'check', 'undo')]
	[string] $Action,
	[string[]] $Vip = @(),
	[string] $Interface = '',
	[string] $Loopback = '',
	[ValidateRange(1, 65535)]
	[int[]] $Port = @(),
	[ValidateSet('TCP', 'UDP')]
	[string[]] $Protocol = @('TCP'),
	[switch] $DryRun
)

Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

$StateDirectory = Join-Path $env:ProgramData 'dsr-realserver'
$StateFile = Join-Path $StateDirectory 'state.json'
$RulePrefix = 'dsr-realserver'
# Client for Microsoft Networks, file sharing, QoS, link-layer discovery: none has business on a loopback adapter.
$UnwantedBindings = @('ms_msclient', 'ms_server', 'ms_pacer', 'ms_lltdio', 'ms_rspndr')

$script:Wrong = 0
$script:Changed = $false
$script:Records = @()

function Stop-Script([int] $Status, [string] $Text)
{
	[Console]::Error.WriteLine("dsr-realserver: $Text")
	exit $Status
}

function Write-Ok([string] $Text)
{
	Write-Output "ok     $Text"
}

function Write-Wrong([string] $Text, [string] $Command)
{
	Write-Output "wrong  $Text; type: $Command"
	$script:Wrong = 1
}

# ---- the journal: what was, so that undo can restore it

function Read-State
{
	$script:Records = @()
	if (Test-Path -LiteralPath $StateFile) {
		$text = [IO.File]::ReadAllText($StateFile)
		foreach ($record in @($text | ConvertFrom-Json)) {
			# ConvertFrom-Json of PowerShell 5 and earlier hands an array on as one object.
			foreach ($one in @($record)) {
				$script:Records += $one
			}
		}
	}
}

function Save-State
{
	if ($DryRun) {
		return
	}
	if ($script:Records.Count -eq 0) {
		if (Test-Path -LiteralPath $StateFile) {
			Remove-Item -LiteralPath $StateFile
		}
		return
	}
	if (-not (Test-Path -LiteralPath $StateDirectory)) {
		[void] (New-Item -ItemType Directory -Path $StateDirectory)
	}
	[IO.File]::WriteAllText($StateFile, (ConvertTo-Json -InputObject @($script:Records) -Depth 4))
}

# The first note of a thing stays: it tells what was before the first apply.
function Add-Record([string] $Kind, [string] $Key, [string] $On, [string] $Was)
{
	foreach ($record in $script:Records) {
		if ($record.Kind -eq $Kind -and $record.Key -eq $Key -and $record.On -eq $On) {
			return
		}
	}
	$script:Records += New-Object PSObject -Property @{ Kind = $Kind; Key = $Key; On = $On; Was = $Was }
	Save-State
}

function Get-Record([string] $Kind)
{
	return @($script:Records | Where-Object { $_.Kind -eq $Kind })
}

# ---- commands: one description is printed, and run

function Format-Word($Value)
{
	if ($Value -is [bool]) {
		if ($Value) { return '$true' } else { return '$false' }
	}
	if ($Value -is [array]) {
		return (@($Value | ForEach-Object { Format-Word $_ }) -join ',')
	}
	$text = [string] $Value
	if ($text -match '^[A-Za-z0-9_.-]+$') {
		return $text
	}
	return "'" + $text.Replace("'", "''") + "'"
}

function Format-Command([string] $Name, $Arguments)
{
	$line = $Name
	foreach ($key in $Arguments.Keys) {
		# A colon, because a switch such as -Confirm takes its value in no other way.
		if ($Arguments[$key] -is [bool]) {
			$line += " -${key}:" + (Format-Word $Arguments[$key])
		} else {
			$line += " -$key " + (Format-Word $Arguments[$key])
		}
	}
	return $line
}

function Invoke-Change([string] $Name, $Arguments)
{
	Write-Output (Format-Command $Name $Arguments)
	$script:Changed = $true
	if (-not $DryRun) {
		[void] (& $Name @Arguments)
	}
}

# ---- what is asked for

function Get-Vips
{
	$list = @()
	foreach ($text in $Vip) {
		$address = $null
		if ($text -match '/') {
			Stop-Script 64 "-Vip ${text}: write the address without a prefix length"
		}
		if (-not [Net.IPAddress]::TryParse($text, [ref] $address)) {
			Stop-Script 64 "-Vip ${text}: not an IP address; names are not looked up"
		}
		# TryParse takes "1" for 0.0.0.1 and octal numbers: only what it would write itself is taken.
		if ($address.AddressFamily -eq 'InterNetwork' -and $address.ToString() -ne $text) {
			Stop-Script 64 "-Vip ${text}: not an IPv4 address; write four decimal numbers"
		}
		if ([Net.IPAddress]::IsLoopback($address) -or $address.IsIPv6LinkLocal -or $address.IsIPv6Multicast -or
			$address.Equals([Net.IPAddress]::Any) -or $address.Equals([Net.IPAddress]::IPv6Any)) {
			Stop-Script 64 "-Vip ${text}: this kind of address cannot be a VIP"
		}
		$list += $address.ToString()
	}
	return $list
}

function Get-Family([string] $Address)
{
	if ($Address.Contains(':')) { return 'IPv6' }
	return 'IPv4'
}

function Get-FullLength([string] $Address)
{
	if ($Address.Contains(':')) { return 128 }
	return 32
}

# Alias of the interface that a user named by alias or index.
function Resolve-Interface([string] $Name)
{
	if ($Name -match '^[0-9]+$') {
		$found = @(Get-NetIPInterface -InterfaceIndex ([int] $Name) -ErrorAction SilentlyContinue)
	} else {
		$found = @(Get-NetIPInterface -ErrorAction SilentlyContinue | Where-Object { $_.InterfaceAlias -eq $Name })
	}
	if ($found.Count -eq 0) {
		Stop-Script 69 "there is no interface $Name; Get-NetIPInterface lists them"
	}
	return $found[0].InterfaceAlias
}

# The interface with the best default route of the family.
function Find-Network([string] $Family)
{
	if ($Interface -ne '') {
		return Resolve-Interface $Interface
	}
	$prefix = '0.0.0.0/0'
	if ($Family -eq 'IPv6') {
		$prefix = '::/0'
	}
	$routes = @(Get-NetRoute -DestinationPrefix $prefix -ErrorAction SilentlyContinue | Sort-Object RouteMetric)
	if ($routes.Count -eq 0) {
		Stop-Script 69 "there is no default route for $Family, so name the network interface: -Interface NAME"
	}
	return $routes[0].InterfaceAlias
}

function Find-Loopback
{
	if ($Loopback -ne '') {
		return Resolve-Interface $Loopback
	}
	$noted = @(Get-Record 'loopback')
	if ($noted.Count -gt 0) {
		return $noted[0].Key
	}
	$adapters = @(Get-NetAdapter -ErrorAction SilentlyContinue |
		Where-Object { $_.InterfaceDescription -like 'Microsoft*Loopback Adapter*' -and $_.Status -eq 'Up' })
	if ($adapters.Count -gt 0) {
		return $adapters[0].Name
	}
	$pseudo = @(Get-NetIPInterface -ErrorAction SilentlyContinue |
		Where-Object { $_.InterfaceAlias -like 'Loopback Pseudo-Interface*' })
	if ($pseudo.Count -eq 0) {
		Stop-Script 69 'there is no loopback interface; install the KM-TEST Loopback Adapter with hdwwiz.exe, or name one: -Loopback NAME'
	}
	return $pseudo[0].InterfaceAlias
}

function Test-RealAdapter([string] $Alias)
{
	return (@(Get-NetAdapter -ErrorAction SilentlyContinue | Where-Object { $_.Name -eq $Alias }).Count -gt 0)
}

# ---- the items, each as: what it is, whether it is right, the command that makes it so

# Settings of the host model: the load is carried by receive on the network and send on the loopback; receive on the
# loopback is customary.
function Get-WantedSettings([string[]] $Vips, [string] $LoopbackAlias)
{
	foreach ($family in @($Vips | ForEach-Object { Get-Family $_ } | Sort-Object -Unique)) {
		$network = Find-Network $family
		foreach ($wanted in @(@($network, 'WeakHostReceive'), @($LoopbackAlias, 'WeakHostReceive'), @($LoopbackAlias, 'WeakHostSend'))) {
			New-Object PSObject -Property @{ Alias = $wanted[0]; Family = $family; Property = $wanted[1] }
		}
	}
}

function Get-Setting($Wanted)
{
	$found = @(Get-NetIPInterface -InterfaceAlias $Wanted.Alias -AddressFamily $Wanted.Family -ErrorAction SilentlyContinue)
	if ($found.Count -eq 0) {
		throw "$($Wanted.Family) is not bound to the interface $($Wanted.Alias)"
	}
	return [string] $found[0].($Wanted.Property)
}

# An alias is always given: without one, Set-NetIPInterface would change every interface.
function Get-SettingArguments($Wanted, [string] $Value)
{
	$arguments = [ordered] @{ InterfaceAlias = $Wanted.Alias; AddressFamily = $Wanted.Family }
	$arguments[$Wanted.Property] = $Value
	return $arguments
}

function Get-Addresses([string] $Address)
{
	return @(Get-NetIPAddress -ErrorAction SilentlyContinue | Where-Object { $_.IPAddress -eq $Address })
}

function Get-AddressArguments([string] $Address, [string] $Alias)
{
	# SkipAsSource: not used for connections of this host's own, and not registered in DNS. It must be given here;
	# setting it afterwards is forgotten easily.
	return [ordered] @{
		InterfaceAlias = $Alias
		IPAddress = $Address
		PrefixLength = (Get-FullLength $Address)
		AddressFamily = (Get-Family $Address)
		SkipAsSource = $true
	}
}

function Get-RemoveArguments([string] $Address, [string] $Alias)
{
	return [ordered] @{ InterfaceAlias = $Alias; IPAddress = $Address; Confirm = $false }
}

function Get-Rule([string] $Name)
{
	return @(Get-NetFirewallRule -Name $Name -ErrorAction SilentlyContinue)
}

function Get-RuleArguments([string] $Name, [string] $RuleProtocol, [string[]] $Vips)
{
	# The loopback is an unidentified network, which Windows takes for a public one: hence every profile.
	return [ordered] @{
		Name = $Name
		DisplayName = "Direct Server Return ($RuleProtocol)"
		Direction = 'Inbound'
		Action = 'Allow'
		Profile = 'Any'
		Protocol = $RuleProtocol
		LocalAddress = $Vips
		LocalPort = $Port
	}
}

function Get-EnabledBindings([string] $Alias)
{
	if (-not (Test-RealAdapter $Alias)) {
		return @()
	}
	return @(Get-NetAdapterBinding -Name $Alias -ErrorAction SilentlyContinue |
		Where-Object { $_.Enabled -and $UnwantedBindings -contains $_.ComponentID } |
		ForEach-Object { $_.ComponentID })
}

function Get-Registers([string] $Alias)
{
	$clients = @(Get-DnsClient -ErrorAction SilentlyContinue | Where-Object { $_.InterfaceAlias -eq $Alias })
	if ($clients.Count -eq 0) {
		return $false
	}
	return [bool] $clients[0].RegisterThisConnectionsAddress
}

# ---- apply, check, undo

function Invoke-Apply([string[]] $Vips)
{
	$lo = Find-Loopback
	foreach ($address in $Vips) {
		foreach ($there in @(Get-Addresses $address)) {
			if ($there.InterfaceAlias -ne $lo) {
				Stop-Script 1 ("$address is on $($there.InterfaceAlias), where the network is told about it; nothing was done. " +
					'First type: ' + (Format-Command 'Remove-NetIPAddress' (Get-RemoveArguments $address $there.InterfaceAlias)))
			}
			if ($there.PrefixLength -ne (Get-FullLength $address)) {
				Stop-Script 1 ("$address is there with prefix length $($there.PrefixLength); nothing was done. First type: " +
					(Format-Command 'Remove-NetIPAddress' (Get-RemoveArguments $address $there.InterfaceAlias)))
			}
		}
	}
	Add-Record 'loopback' $lo '' ''
	foreach ($component in @(Get-EnabledBindings $lo)) {
		Add-Record 'binding' $component $lo ''
		Invoke-Change 'Disable-NetAdapterBinding' ([ordered] @{ Name = $lo; ComponentID = $component; Confirm = $false })
	}
	if (Get-Registers $lo) {
		Add-Record 'dns' $lo '' 'True'
		try {
			Invoke-Change 'Set-DnsClient' ([ordered] @{ InterfaceAlias = $lo; RegisterThisConnectionsAddress = $false })
		} catch {
			# The address is not registered in any case, because of SkipAsSource.
			Write-Output "note   that failed: $($_.Exception.Message)"
		}
	}
	foreach ($wanted in @(Get-WantedSettings $Vips $lo)) {
		$value = Get-Setting $wanted
		if ($value -ne 'Enabled') {
			Add-Record 'setting' "$($wanted.Family) $($wanted.Property)" $wanted.Alias $value
			Invoke-Change 'Set-NetIPInterface' (Get-SettingArguments $wanted 'Enabled')
		}
	}
	foreach ($address in $Vips) {
		if (@(Get-Addresses $address).Count -eq 0) {
			Add-Record 'address' $address $lo ''
			Invoke-Change 'New-NetIPAddress' (Get-AddressArguments $address $lo)
		}
		Add-Record 'vip' $address '' ''
	}
	if ($Port.Count -gt 0) {
		$all = @((@(Get-Record 'vip' | ForEach-Object { $_.Key }) + $Vips) | Sort-Object -Unique)
		foreach ($one in $Protocol) {
			$name = "$RulePrefix-$one"
			if (@(Get-Rule $name).Count -gt 0) {
				Invoke-Change 'Remove-NetFirewallRule' ([ordered] @{ Name = $name })
			}
			Add-Record 'rule' $name '' ''
			Invoke-Change 'New-NetFirewallRule' (Get-RuleArguments $name $one $all)
		}
	}
	if (-not $script:Changed) {
		Write-Output 'nothing to do: all is in place'
	}
}

function Invoke-Check([string[]] $Vips)
{
	$lo = Find-Loopback
	foreach ($address in $Vips) {
		$add = Format-Command 'New-NetIPAddress' (Get-AddressArguments $address $lo)
		$found = @(Get-Addresses $address)
		if ($found.Count -eq 0) {
			Write-Wrong "$address is on no interface, so packets for it are dropped" $add
			continue
		}
		foreach ($there in $found) {
			$remove = Format-Command 'Remove-NetIPAddress' (Get-RemoveArguments $address $there.InterfaceAlias)
			if ($there.InterfaceAlias -ne $lo) {
				Write-Wrong "$address is on $($there.InterfaceAlias), where the network is told about it" "$remove; $add"
			} elseif ($there.PrefixLength -ne (Get-FullLength $address)) {
				Write-Wrong "$address has prefix length $($there.PrefixLength)" "$remove; $add"
			} elseif (-not $there.SkipAsSource) {
				Write-Wrong "$address may be the source of this host's own connections, and be registered in DNS" "$remove; $add"
			} elseif ([string] $there.AddressState -ne 'Preferred') {
				Write-Wrong "$address is $($there.AddressState), not Preferred" "$remove; $add"
			} else {
				Write-Ok "$address is on $lo as /$(Get-FullLength $address), not used as source"
			}
		}
	}
	foreach ($wanted in @(Get-WantedSettings $Vips $lo)) {
		$value = Get-Setting $wanted
		$what = "$($wanted.Property) is $value for $($wanted.Family) on $($wanted.Alias)"
		if ($value -eq 'Enabled') {
			Write-Ok $what
		} else {
			Write-Wrong "${what}: the strong host model drops packets for the VIP" (
				Format-Command 'Set-NetIPInterface' (Get-SettingArguments $wanted 'Enabled'))
		}
	}
	if ((Get-Registers $lo) -and -not (Test-RealAdapter $lo)) {
		Write-Output "note   $lo is set to register its addresses in DNS; SkipAsSource keeps the VIP out"
	} elseif (Get-Registers $lo) {
		Write-Wrong "$lo registers its addresses in DNS, so this host's name would lead to the VIP" (
			Format-Command 'Set-DnsClient' ([ordered] @{ InterfaceAlias = $lo; RegisterThisConnectionsAddress = $false }))
	} else {
		Write-Ok "$lo registers no address in DNS"
	}
	foreach ($component in @(Get-EnabledBindings $lo)) {
		Write-Wrong "$component is bound to $lo" (
			Format-Command 'Disable-NetAdapterBinding' ([ordered] @{ Name = $lo; ComponentID = $component; Confirm = $false }))
	}
	$rules = @(Get-Record 'rule')
	if ($rules.Count -eq 0) {
		Write-Output 'note   no firewall rule was made by this script (-Port makes one): the firewall must pass the VIP'
	}
	foreach ($record in $rules) {
		$rule = @(Get-Rule $record.Key)
		if ($rule.Count -gt 0 -and [string] $rule[0].Enabled -eq 'True') {
			Write-Ok "the firewall rule $($record.Key) is there"
		} else {
			Write-Wrong "the firewall rule $($record.Key) is missing or disabled" (
				'.\dsr-realserver.ps1 apply -Vip ' + ($Vips -join ',') + ' -Port PORT')
		}
	}
}

function Invoke-Undo
{
	if ($script:Records.Count -eq 0) {
		Write-Output "nothing to undo: $StateFile does not exist"
		return
	}
	$left = @()
	# Last done, first undone.
	for ($i = $script:Records.Count - 1; $i -ge 0; $i--) {
		$record = $script:Records[$i]
		try {
			Undo-Record $record
		} catch {
			[Console]::Error.WriteLine("dsr-realserver: $($record.Kind) $($record.Key): $($_.Exception.Message)")
			$left = @($record) + $left
		}
	}
	if ($DryRun) {
		return
	}
	$script:Records = $left
	Save-State
	if ($left.Count -gt 0) {
		Stop-Script 71 "not everything could be restored; the rest is noted in $StateFile, and undo can be repeated"
	}
}

function Undo-Record($Record)
{
	switch ($Record.Kind) {
		'rule' {
			if (@(Get-Rule $Record.Key).Count -gt 0) {
				Invoke-Change 'Remove-NetFirewallRule' ([ordered] @{ Name = $Record.Key })
			}
		}
		'address' {
			if (@(Get-Addresses $Record.Key | Where-Object { $_.InterfaceAlias -eq $Record.On }).Count -gt 0) {
				Invoke-Change 'Remove-NetIPAddress' (Get-RemoveArguments $Record.Key $Record.On)
			}
		}
		'setting' {
			$words = $Record.Key.Split(' ')
			$wanted = New-Object PSObject -Property @{ Alias = $Record.On; Family = $words[0]; Property = $words[1] }
			if ((Get-Setting $wanted) -ne $Record.Was) {
				Invoke-Change 'Set-NetIPInterface' (Get-SettingArguments $wanted $Record.Was)
			}
		}
		'dns' {
			Invoke-Change 'Set-DnsClient' ([ordered] @{ InterfaceAlias = $Record.Key; RegisterThisConnectionsAddress = $true })
		}
		'binding' {
			Invoke-Change 'Enable-NetAdapterBinding' ([ordered] @{ Name = $Record.On; ComponentID = $Record.Key; Confirm = $false })
		}
	}
}

# ---- main

if (-not (Get-Command Set-NetIPInterface -ErrorAction SilentlyContinue)) {
	Stop-Script 71 'this Windows has no NetTCPIP module (2008 R2 and earlier have none); use dsr-realserver.cmd'
}
if ($Action -ne 'check' -and -not $DryRun) {
	$identity = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
	if (-not $identity.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
		Stop-Script 77 "$Action needs an elevated PowerShell (Run as administrator); -DryRun shows the commands without"
	}
}
try {
	Read-State
	$vips = @(Get-Vips)
	if ($Action -eq 'undo') {
		if ($vips.Count -gt 0) {
			Stop-Script 64 'undo takes back everything; it takes no -Vip'
		}
		Invoke-Undo
		exit 0
	}
	if ($Action -eq 'check' -and $vips.Count -eq 0) {
		$vips = @(Get-Record 'vip' | ForEach-Object { $_.Key })
	}
	if ($vips.Count -eq 0) {
		Stop-Script 64 "$Action needs -Vip ADDRESS"
	}
	if ($Action -eq 'apply') {
		Invoke-Apply $vips
	} else {
		Invoke-Check $vips
	}
} catch {
	Stop-Script 71 $_.Exception.Message
}
exit $script:Wrong
