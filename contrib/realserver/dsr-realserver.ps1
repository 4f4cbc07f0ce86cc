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

Each value is noted in %ProgramData%\dsr-realserver\state.json before it is changed, and undo restores it. Interfaces are noted
by GUID, so they may be renamed in between.

Tests run it in PowerShell against modules that imitate Windows; it has not run on a real Windows. Look at what -DryRun
prints first, and keep another way to the server's console.

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
	[string[]] $Port = @(),
	[string[]] $Protocol = @('TCP'),
	[Alias('WhatIf')]
	[switch] $DryRun
)

Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

$StateDirectory = Join-Path $env:ProgramData 'dsr-realserver'
$StateFile = Join-Path $StateDirectory 'state.json'
$RulePrefix = 'dsr-realserver'
# Client for Microsoft Networks, file sharing, QoS and link-layer discovery do not belong on a loopback adapter.
$UnwantedBindings = @('ms_msclient', 'ms_server', 'ms_pacer', 'ms_lltdio', 'ms_rspndr')

$script:Wrong = 0
$script:Changed = $false
$script:Records = @()
$script:Lock = $null

function Stop-Script([int] $Status, [string] $Text)
{
	[Console]::Error.WriteLine("dsr-realserver: $Text")
	exit $Status
}

# "powershell -File" passes "80,443" as one word, and converted to a number that is 80443.
function Split-Words([string[]] $Words)
{
	return @($Words | ForEach-Object { $_ -split '[,\s]+' } | Where-Object { $_ -ne '' } | Select-Object -Unique)
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
			# In PowerShell 5 and earlier, ConvertFrom-Json returns an array as one object.
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
		foreach ($file in @("$StateFile.old", "$StateFile.new", $StateFile)) {
			if (Test-Path -LiteralPath $file) {
				Remove-Item -LiteralPath $file
			}
		}
		return
	}
	# A full disk or an interruption leaves the old journal: the new one is read back before it takes its place.
	$text = ConvertTo-Json -InputObject @($script:Records) -Depth 4
	[IO.File]::WriteAllText("$StateFile.new", $text)
	if ([IO.File]::ReadAllText("$StateFile.new") -ne $text) {
		throw "cannot write $StateFile; without it undo could not restore what was, so nothing more is changed"
	}
	if (Test-Path -LiteralPath $StateFile) {
		[IO.File]::Replace("$StateFile.new", $StateFile, "$StateFile.old")
	} else {
		[IO.File]::Move("$StateFile.new", $StateFile)
	}
}

# One at a time. The system closes and deletes the lock when this process ends, however it ends.
function Open-Lock
{
	if ($DryRun) {
		return
	}
	if (-not (Test-Path -LiteralPath $StateDirectory)) {
		[void] (New-Item -ItemType Directory -Path $StateDirectory)
	}
	for ($try = 1; ; $try++) {
		try {
			$script:Lock = New-Object IO.FileStream("$StateFile.lock", [IO.FileMode]::OpenOrCreate, [IO.FileAccess]::ReadWrite,
				[IO.FileShare]::None, 16, [IO.FileOptions]::DeleteOnClose)
			return
		} catch {
			if ($try -ge 300) {
				Stop-Script 71 "another dsr-realserver.ps1 has held $StateFile.lock for a minute; wait for it to end"
			}
			Start-Sleep -Milliseconds 200
		}
	}
}

function Close-Lock
{
	if ($null -ne $script:Lock) {
		$script:Lock.Dispose()
		$script:Lock = $null
	}
}

# The first note of a thing stays: it has the value before the first apply.
function Add-Record([string] $Kind, [string] $Key, [string] $On, [string] $Was, [string] $Guid)
{
	foreach ($record in $script:Records) {
		if ($record.Kind -eq $Kind -and $record.Key -eq $Key -and $record.On -eq $On) {
			return
		}
	}
	$script:Records += New-Object PSObject -Property @{ Kind = $Kind; Key = $Key; On = $On; Was = $Was; Guid = $Guid }
	Save-State
}

function Remove-Record([string] $Kind, [string] $Key, [string] $On)
{
	$script:Records = @($script:Records | Where-Object { -not ($_.Kind -eq $Kind -and $_.Key -eq $Key -and $_.On -eq $On) })
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

# These commands are functions of modules, where $ErrorActionPreference of this script has no effect: hence -ErrorAction.
function Invoke-Change([string] $Name, $Arguments, [string] $Remark)
{
	$line = Format-Command $Name $Arguments
	if ($Remark -ne '') {
		$line += "  # $Remark"
	}
	Write-Output $line
	$script:Changed = $true
	if (-not $DryRun) {
		[void] (& $Name @Arguments -ErrorAction Stop)
	}
}

# ---- what is asked for

function Get-Vips
{
	$list = @()
	foreach ($text in @(Split-Words $Vip)) {
		$address = $null
		if ($text -match '/') {
			Stop-Script 64 "-Vip ${text}: write the address without a prefix length"
		}
		if (-not [Net.IPAddress]::TryParse($text, [ref] $address)) {
			Stop-Script 64 "-Vip ${text}: not an IP address; names are not looked up"
		}
		# TryParse accepts "1" for 0.0.0.1, and octal numbers: only the form that .NET prints is accepted.
		if ($address.AddressFamily -eq 'InterNetwork' -and $address.ToString() -ne $text) {
			Stop-Script 64 "-Vip ${text}: not an IPv4 address; write four decimal numbers"
		}
		$bytes = $address.GetAddressBytes()
		$mapped = $bytes.Length -eq 16 -and -not @($bytes[0..9] | Where-Object { $_ -ne 0 }) -and
			$bytes[10] -eq 255 -and $bytes[11] -eq 255
		$special = $bytes.Length -eq 4 -and ($bytes[0] -ge 224 -or ($bytes[0] -eq 169 -and $bytes[1] -eq 254))
		if ($text -match '%' -or $mapped -or $special -or [Net.IPAddress]::IsLoopback($address) -or
			$address.IsIPv6LinkLocal -or $address.IsIPv6Multicast -or
			$address.Equals([Net.IPAddress]::Any) -or $address.Equals([Net.IPAddress]::IPv6Any)) {
			Stop-Script 64 "-Vip ${text}: this kind of address cannot be a VIP"
		}
		$list += $address.ToString()
	}
	return @($list | Select-Object -Unique)
}

function Get-Ports
{
	foreach ($text in @(Split-Words $Port)) {
		$number = 0
		if ($text -notmatch '^[0-9]{1,5}$' -or -not [int]::TryParse($text, [ref] $number) -or $number -lt 1 -or $number -gt 65535) {
			Stop-Script 64 "-Port ${text}: not a port from 1 to 65535"
		}
		$number
	}
}

function Get-Protocols
{
	foreach ($text in @(Split-Words $Protocol)) {
		if ($text -notmatch '^(TCP|UDP)$') {
			Stop-Script 64 "-Protocol ${text}: TCP or UDP"
		}
		$text.ToUpperInvariant()
	}
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

# An interface: its index for the commands (a name may contain wildcards), its alias for messages, and its adapter's GUID, which
# survives renaming. The pseudo-interface has no adapter and cannot be renamed.
function New-Interface($Found)
{
	$guid = ''
	$adapter = @(Get-NetAdapter -ErrorAction Stop | Where-Object { $_.ifIndex -eq $Found.InterfaceIndex })
	$description = ''
	if ($adapter.Count -gt 0) {
		$guid = [string] $adapter[0].InterfaceGuid
		$description = [string] $adapter[0].InterfaceDescription
	}
	return New-Object PSObject -Property @{
		Index = $Found.InterfaceIndex
		Alias = $Found.InterfaceAlias
		Guid = $guid
		Description = $description
	}
}

function Find-Interface([string] $Property, $Value)
{
	$found = @(Get-NetIPInterface -ErrorAction Stop |
		Where-Object { [string] ($_ | Select-Object -ExpandProperty $Property) -eq [string] $Value })
	if ($found.Count -eq 0) {
		return $null
	}
	return New-Interface $found[0]
}

# The interface that -Interface or -Loopback names by alias or index.
function Resolve-Interface([string] $Name)
{
	$found = Find-Interface 'InterfaceAlias' $Name
	if ($null -eq $found -and $Name -match '^[0-9]+$') {
		$found = Find-Interface 'InterfaceIndex' $Name
	}
	if ($null -eq $found) {
		Stop-Script 69 "there is no interface $Name; Get-NetIPInterface lists them"
	}
	return $found
}

# The interface of a record, whatever its name is now; $null if it is gone.
function Find-Recorded($Record)
{
	if ($Record.Guid -ne '') {
		$adapter = @(Get-NetAdapter -ErrorAction Stop | Where-Object { $_.InterfaceGuid -eq $Record.Guid })
		if ($adapter.Count -eq 0) {
			return $null
		}
		return Find-Interface 'InterfaceIndex' $adapter[0].ifIndex
	}
	return Find-Interface 'InterfaceAlias' $Record.On
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
	$metrics = @{}
	foreach ($one in @(Get-NetIPInterface -ErrorAction Stop | Where-Object { [string] $_.AddressFamily -eq $Family })) {
		$metrics["$($one.InterfaceIndex)"] = [int] $one.InterfaceMetric
	}
	$routes = @(Get-NetRoute -DestinationPrefix $prefix -ErrorAction SilentlyContinue |
		Sort-Object { [int] $_.RouteMetric + [int] $metrics["$($_.InterfaceIndex)"] })
	if ($routes.Count -eq 0) {
		Stop-Script 69 "there is no default route for $Family, so name the network interface: -Interface NAME; nothing was done"
	}
	return Find-Interface 'InterfaceIndex' $routes[0].InterfaceIndex
}

function Find-Loopback
{
	if ($Loopback -ne '') {
		$found = Resolve-Interface $Loopback
		if ($found.Alias -notlike 'Loopback Pseudo-Interface*' -and $found.Description -notlike '*Loopback*') {
			Stop-Script 69 "$($found.Alias) is not a loopback, so Windows would announce the VIP there; nothing was done"
		}
		return $found
	}
	foreach ($record in @(Get-Record 'loopback')) {
		$found = Find-Recorded $record
		if ($null -ne $found) {
			return $found
		}
	}
	$adapters = @(Get-NetAdapter -ErrorAction Stop |
		Where-Object { $_.InterfaceDescription -like 'Microsoft*Loopback Adapter*' -and $_.Status -eq 'Up' })
	if ($adapters.Count -gt 1) {
		Stop-Script 69 'there are several loopback adapters; name one: -Loopback NAME'
	}
	if ($adapters.Count -gt 0) {
		# An address that is neither asked for nor given by DHCP: the adapter serves another program.
		foreach ($other in @(Get-NetIPAddress -ErrorAction Stop | Where-Object { $_.InterfaceIndex -eq $adapters[0].ifIndex -and
				[string] $_.PrefixOrigin -eq 'Manual' -and $_.IPAddress -notlike '169.254.*' -and $script:Vips -notcontains $_.IPAddress })) {
			Stop-Script 69 ("the loopback adapter $($adapters[0].Name) has the address $($other.IPAddress), so another program may use it; " +
				'nothing was done. Choose: -Loopback NAME')
		}
		return Find-Interface 'InterfaceIndex' $adapters[0].ifIndex
	}
	$pseudo = @(Get-NetIPInterface -ErrorAction Stop |
		Where-Object { $_.InterfaceAlias -like 'Loopback Pseudo-Interface*' })
	if ($pseudo.Count -eq 0) {
		Stop-Script 69 'there is no loopback interface; install the KM-TEST Loopback Adapter with hdwwiz.exe, or name one: -Loopback NAME'
	}
	return New-Interface $pseudo[0]
}

# ---- the items, each as: what it is, whether it is right, the command that makes it so

# Settings of the host model. Receive on the network and send on the loopback do the work; receive on the loopback is customary.
function Get-WantedSettings([string[]] $Vips, $On)
{
	foreach ($family in @($Vips | ForEach-Object { Get-Family $_ } | Sort-Object -Unique)) {
		$network = Find-Network $family
		if ($network.Index -eq $On.Index) {
			Stop-Script 69 "$($On.Alias) has the default route, so it is not a loopback; nothing was done. Choose: -Loopback NAME"
		}
		foreach ($wanted in @(@($network, 'WeakHostReceive'), @($On, 'WeakHostReceive'), @($On, 'WeakHostSend'))) {
			New-Object PSObject -Property @{ On = $wanted[0]; Family = $family; Property = $wanted[1] }
		}
	}
}

function Get-Setting($Wanted)
{
	$found = @(Get-NetIPInterface -InterfaceIndex $Wanted.On.Index -AddressFamily $Wanted.Family -ErrorAction SilentlyContinue)
	if ($found.Count -eq 0) {
		throw "$($Wanted.Family) is not bound to the interface $($Wanted.On.Alias)"
	}
	return [string] ($found[0] | Select-Object -ExpandProperty $Wanted.Property)
}

# An index is always given: without one, Set-NetIPInterface would change every interface.
function Get-SettingArguments($Wanted, [string] $Value)
{
	$arguments = [ordered] @{ InterfaceIndex = $Wanted.On.Index; AddressFamily = $Wanted.Family }
	$arguments[$Wanted.Property] = $Value
	return $arguments
}

function Get-Addresses([string] $Address)
{
	return @(Get-NetIPAddress -ErrorAction Stop | Where-Object { $_.IPAddress -eq $Address })
}

function Get-AddressArguments([string] $Address, $Index)
{
	# SkipAsSource: not used for connections of this host's own, and not registered in DNS. It must be given here;
	# setting it afterwards is forgotten easily.
	return [ordered] @{
		InterfaceIndex = $Index
		IPAddress = $Address
		PrefixLength = (Get-FullLength $Address)
		AddressFamily = (Get-Family $Address)
		SkipAsSource = $true
	}
}

function Get-RemoveArguments([string] $Address, $Index)
{
	return [ordered] @{ InterfaceIndex = $Index; IPAddress = $Address; Confirm = $false }
}

function Get-SourceArguments([string] $Address, $Index, [bool] $Skip)
{
	return [ordered] @{ InterfaceIndex = $Index; IPAddress = $Address; SkipAsSource = $Skip }
}

function Get-Rule([string] $Name)
{
	return @(Get-NetFirewallRule -Name $Name -ErrorAction SilentlyContinue)
}

function Get-RuleArguments([string] $Name, [string] $RuleProtocol, [string[]] $Vips, [string[]] $Ports)
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
		LocalPort = $Ports
	}
}

# Addresses and ports of a rule, sorted, for comparison and messages.
function Get-RuleText([string[]] $Vips, [string[]] $Ports)
{
	return (@($Vips | Sort-Object) -join ',') + ' ' + (@($Ports | Sort-Object) -join ',')
}

function Get-RuleNow($Rule)
{
	$addresses = @(@($Rule | Get-NetFirewallAddressFilter -ErrorAction Stop)[0].LocalAddress)
	$ports = @(@($Rule | Get-NetFirewallPortFilter -ErrorAction Stop)[0].LocalPort)
	return Get-RuleText $addresses $ports
}

function Get-EnabledBindings($On)
{
	if ($On.Guid -eq '') {
		return @()
	}
	return @(Get-NetAdapterBinding -ErrorAction Stop |
		Where-Object { $_.Name -eq $On.Alias -and $_.Enabled -and $UnwantedBindings -contains $_.ComponentID } |
		ForEach-Object { $_.ComponentID })
}

function Get-Registers($On)
{
	$clients = @(Get-DnsClient -ErrorAction Stop | Where-Object { $_.InterfaceIndex -eq $On.Index })
	if ($clients.Count -eq 0) {
		return $false
	}
	return [bool] $clients[0].RegisterThisConnectionsAddress
}

# ---- apply, check, undo

# The commands of NetAdapter read a name as a pattern; escaped, brackets match themselves.
function Get-BindingArguments($On, [string] $Component)
{
	return [ordered] @{ Name = [Management.Automation.WildcardPattern]::Escape($On.Alias); ComponentID = $Component; Confirm = $false }
}

function Wait-Address([string[]] $Vips)
{
	for ($i = 0; $i -lt 50; $i++) {
		if (@($Vips | ForEach-Object { Get-Addresses $_ } | Where-Object { [string] $_.AddressState -eq 'Tentative' }).Count -eq 0) {
			return
		}
		Start-Sleep -Milliseconds 200
	}
}

function Invoke-Apply([string[]] $Vips)
{
	# Everything that can be refused is refused before the first change.
	$lo = Find-Loopback
	foreach ($address in $Vips) {
		foreach ($there in @(Get-Addresses $address)) {
			if ($there.InterfaceIndex -ne $lo.Index) {
				Stop-Script 1 ("$address is on $($there.InterfaceAlias), which announces it to the network; nothing was done. " +
					'First type: ' + (Format-Command 'Remove-NetIPAddress' (Get-RemoveArguments $address $there.InterfaceIndex)))
			}
			if ($there.PrefixLength -ne (Get-FullLength $address)) {
				Stop-Script 1 ("$address is there with prefix length $($there.PrefixLength); nothing was done. First type: " +
					(Format-Command 'Remove-NetIPAddress' (Get-RemoveArguments $address $there.InterfaceIndex)))
			}
		}
	}
	$changes = @(Get-WantedSettings $Vips $lo | Where-Object { (Get-Setting $_) -ne 'Enabled' })
	$noted = @(Get-Record 'rule' | ForEach-Object { $_.Key })
	foreach ($one in $script:Protocols) {
		if ($script:Ports.Count -gt 0 -and $noted -notcontains "$RulePrefix-$one" -and @(Get-Rule "$RulePrefix-$one").Count -gt 0) {
			Stop-Script 1 "there is a firewall rule $RulePrefix-$one that this script did not make; nothing was done"
		}
	}
	Add-Record 'loopback' $lo.Alias $lo.Alias '' $lo.Guid
	foreach ($address in $Vips) {
		Add-Record 'vip' $address '' '' ''
	}
	foreach ($component in @(Get-EnabledBindings $lo)) {
		Add-Record 'binding' $component $lo.Alias '' $lo.Guid
		Invoke-Change 'Disable-NetAdapterBinding' (Get-BindingArguments $lo $component)
	}
	if ((Get-Registers $lo) -and @(Get-Record 'nodns').Count -eq 0) {
		Add-Record 'dns' $lo.Alias $lo.Alias 'True' $lo.Guid
		try {
			Invoke-Change 'Set-DnsClient' ([ordered] @{ InterfaceIndex = $lo.Index; RegisterThisConnectionsAddress = $false }) $lo.Alias
		} catch {
			# SkipAsSource keeps the address out of DNS in any case.
			Write-Output "note   that failed: $($_.Exception.Message)"
			Remove-Record 'dns' $lo.Alias $lo.Alias
			Add-Record 'nodns' $lo.Alias $lo.Alias '' $lo.Guid
		}
	}
	foreach ($wanted in $changes) {
		Add-Record 'setting' "$($wanted.Family) $($wanted.Property)" $wanted.On.Alias (Get-Setting $wanted) $wanted.On.Guid
		Invoke-Change 'Set-NetIPInterface' (Get-SettingArguments $wanted 'Enabled') $wanted.On.Alias
	}
	foreach ($address in $Vips) {
		$there = @(Get-Addresses $address)
		if ($there.Count -eq 0) {
			$dhcp = New-Object PSObject -Property @{ On = $lo; Family = (Get-Family $address); Property = 'Dhcp' }
			if ((Get-Setting $dhcp) -eq 'Enabled') {
				# New-NetIPAddress turns DHCP off.
				Add-Record 'setting' "$($dhcp.Family) Dhcp" $lo.Alias 'Enabled' $lo.Guid
			}
			Add-Record 'address' $address $lo.Alias '' $lo.Guid
			Invoke-Change 'New-NetIPAddress' (Get-AddressArguments $address $lo.Index) $lo.Alias
		} elseif (-not $there[0].SkipAsSource) {
			Add-Record 'source' $address $lo.Alias 'False' $lo.Guid
			Invoke-Change 'Set-NetIPAddress' (Get-SourceArguments $address $lo.Index $true) $lo.Alias
		}
	}
	$all = @(@(Get-Record 'vip' | ForEach-Object { $_.Key }) | Sort-Object -Unique)
	if ($DryRun) {
		$all = @(($all + $Vips) | Sort-Object -Unique)
	}
	foreach ($one in @('TCP', 'UDP')) {
		$name = "$RulePrefix-$one"
		$record = @(Get-Record 'rule' | Where-Object { $_.Key -eq $name })
		$ports = @()
		if ($record.Count -gt 0 -and $record[0].Was -ne '') {
			$ports = @($record[0].Was -split ',')
		}
		if ($script:Ports.Count -gt 0 -and $script:Protocols -contains $one) {
			$ports = @($script:Ports)
		}
		if ($ports.Count -eq 0) {
			continue
		}
		$rule = @(Get-Rule $name)
		if ($rule.Count -gt 0 -and [string] $rule[0].Enabled -eq 'True' -and
			(Get-RuleNow $rule[0]) -eq (Get-RuleText $all $ports)) {
			continue
		}
		Remove-Record 'rule' $name ''
		Add-Record 'rule' $name '' ($ports -join ',') ''
		if ($rule.Count -gt 0) {
			Invoke-Change 'Remove-NetFirewallRule' ([ordered] @{ Name = $name })
		}
		Invoke-Change 'New-NetFirewallRule' (Get-RuleArguments $name $one $all $ports)
	}
	if (-not $script:Changed) {
		Write-Output 'nothing to do: all is in place'
	} elseif (-not $DryRun) {
		Wait-Address $Vips
	}
}

function Invoke-Check([string[]] $Vips)
{
	$lo = Find-Loopback
	foreach ($address in $Vips) {
		$add = Format-Command 'New-NetIPAddress' (Get-AddressArguments $address $lo.Index)
		$found = @(Get-Addresses $address)
		if ($found.Count -eq 0) {
			Write-Wrong "$address is on no interface, so packets for it are dropped" $add
			continue
		}
		foreach ($there in $found) {
			$remove = Format-Command 'Remove-NetIPAddress' (Get-RemoveArguments $address $there.InterfaceIndex)
			if ($there.InterfaceIndex -ne $lo.Index) {
				Write-Wrong "$address is on $($there.InterfaceAlias), which announces it to the network" "$remove; $add"
			} elseif ($there.PrefixLength -ne (Get-FullLength $address)) {
				Write-Wrong "$address has prefix length $($there.PrefixLength)" "$remove; $add"
			} elseif (-not $there.SkipAsSource) {
				Write-Wrong "$address may be the source of this host's own connections, and be registered in DNS" "$remove; $add"
			} elseif ([string] $there.AddressState -eq 'Tentative') {
				Write-Output "note   Windows still looks for duplicates of $address (Tentative); check again in some seconds"
			} elseif ([string] $there.AddressState -ne 'Preferred') {
				Write-Wrong "$address is $($there.AddressState), not Preferred" "$remove; $add"
			} else {
				Write-Ok "$address is on $($lo.Alias) as /$(Get-FullLength $address), not used as source"
			}
		}
	}
	foreach ($wanted in @(Get-WantedSettings $Vips $lo)) {
		$value = Get-Setting $wanted
		$what = "$($wanted.Property) is $value for $($wanted.Family) on $($wanted.On.Alias)"
		if ($value -eq 'Enabled') {
			Write-Ok $what
		} else {
			Write-Wrong "${what}: the strong host model drops packets for the VIP" (
				Format-Command 'Set-NetIPInterface' (Get-SettingArguments $wanted 'Enabled'))
		}
	}
	if ((Get-Registers $lo) -and $lo.Guid -eq '') {
		Write-Output "note   $($lo.Alias) is set to register its addresses in DNS; SkipAsSource keeps the VIP out"
	} elseif (Get-Registers $lo) {
		Write-Wrong "$($lo.Alias) registers its addresses in DNS, so this host's name would lead to the VIP" (
			Format-Command 'Set-DnsClient' ([ordered] @{ InterfaceIndex = $lo.Index; RegisterThisConnectionsAddress = $false }))
	} else {
		Write-Ok "$($lo.Alias) registers no address in DNS"
	}
	foreach ($component in @(Get-EnabledBindings $lo)) {
		Write-Wrong "$component is bound to $($lo.Alias)" (
			Format-Command 'Disable-NetAdapterBinding' (Get-BindingArguments $lo $component))
	}
	$rules = @(Get-Record 'rule')
	if ($rules.Count -eq 0) {
		Write-Output 'note   this script made no firewall rule (-Port makes one): the firewall must pass the VIP'
	}
	$all = @(@(Get-Record 'vip' | ForEach-Object { $_.Key }) | Sort-Object -Unique)
	foreach ($record in $rules) {
		$rule = @(Get-Rule $record.Key)
		$again = ".\dsr-realserver.ps1 apply -Vip $($all -join ',') -Port $($record.Was) " +
			"-Protocol $($record.Key.Substring($RulePrefix.Length + 1))"
		if ($rule.Count -eq 0 -or [string] $rule[0].Enabled -ne 'True') {
			Write-Wrong "the firewall rule $($record.Key) is missing or disabled" $again
		} elseif ($record.Was -ne '' -and (Get-RuleNow $rule[0]) -ne (Get-RuleText $all @($record.Was -split ','))) {
			Write-Wrong "the firewall rule $($record.Key) lets in $(Get-RuleNow $rule[0])" $again
		} else {
			Write-Ok "the firewall rule $($record.Key) is there"
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
	if ($Record.Kind -eq 'rule') {
		if (@(Get-Rule $Record.Key).Count -gt 0) {
			Invoke-Change 'Remove-NetFirewallRule' ([ordered] @{ Name = $Record.Key })
		}
		return
	}
	if (@('address', 'source', 'setting', 'dns', 'binding') -notcontains $Record.Kind) {
		return
	}
	$on = Find-Recorded $Record
	if ($null -eq $on) {
		Write-Output "note   the interface $($Record.On) is gone: $($Record.Kind) $($Record.Key) is not restored"
		return
	}
	switch ($Record.Kind) {
		'address' {
			if (@(Get-Addresses $Record.Key | Where-Object { $_.InterfaceIndex -eq $on.Index }).Count -gt 0) {
				Invoke-Change 'Remove-NetIPAddress' (Get-RemoveArguments $Record.Key $on.Index) $on.Alias
			}
		}
		'source' {
			if (@(Get-Addresses $Record.Key | Where-Object { $_.InterfaceIndex -eq $on.Index }).Count -gt 0) {
				Invoke-Change 'Set-NetIPAddress' (Get-SourceArguments $Record.Key $on.Index $false) $on.Alias
			}
		}
		'setting' {
			$words = $Record.Key.Split(' ')
			$wanted = New-Object PSObject -Property @{ On = $on; Family = $words[0]; Property = $words[1] }
			if ((Get-Setting $wanted) -ne $Record.Was) {
				Invoke-Change 'Set-NetIPInterface' (Get-SettingArguments $wanted $Record.Was) $on.Alias
			}
		}
		'dns' {
			Invoke-Change 'Set-DnsClient' ([ordered] @{ InterfaceIndex = $on.Index; RegisterThisConnectionsAddress = $true }) $on.Alias
		}
		'binding' {
			Invoke-Change 'Enable-NetAdapterBinding' (Get-BindingArguments $on $Record.Key)
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
	$vips = @(Get-Vips)
	$script:Vips = $vips
	$script:Ports = @(Get-Ports)
	$script:Protocols = @(Get-Protocols)
	if ($Action -ne 'check') {
		Open-Lock
	}
	Read-State
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
	$text = $_.Exception.Message.Trim()
	if ($Action -eq 'apply' -and $script:Changed -and -not $DryRun) {
		$text += '; ".\dsr-realserver.ps1 undo" takes back what was done so far'
	}
	Stop-Script 71 $text
} finally {
	Close-Lock
}
exit $script:Wrong
