# SPDX-License-Identifier: ISC
#
# Imitates a Windows Server, as far as dsr-realserver.ps1 uses the modules NetTCPIP, NetAdapter, NetSecurity and DnsClient. The
# machine is a JSON file, which outlives the process and can be compared.
#
#   MOCK_WINDOWS        that file; new-windows.ps1 makes it
#   MOCK_LOG            a file that gets a line for each change
#   MOCK_FAIL           CMDLET:N makes the Nth call of the cmdlet fail, CMDLET:* every call; separated by semicolons
#   MOCK_KILL           N kills the process after its Nth change of the machine, as a loss of power would
#
# Parameters follow Microsoft's reference of Windows Server 2012 to 2025. -InterfaceAlias and -Name take wildcards; "No MSFT_...
# objects found" is an error that does not stop the caller; an address is removed after a question unless -Confirm:$false is given.

$script:Calls = @{}

function Read-MockWindows
{
	return ([IO.File]::ReadAllText($env:MOCK_WINDOWS) | ConvertFrom-Json)
}

function Write-MockWindows($Machine)
{
	[IO.File]::WriteAllText($env:MOCK_WINDOWS, (ConvertTo-Json -InputObject $Machine -Depth 6))
	if (-not $env:MOCK_KILL) { return }
	# Counted in a file, since each module has variables of its own.
	$file = $env:MOCK_WINDOWS + '.changes'
	[IO.File]::AppendAllText($file, "change`n")
	if (@([IO.File]::ReadAllLines($file)).Count -eq [int] $env:MOCK_KILL) { [Diagnostics.Process]::GetCurrentProcess().Kill() }
}

function Write-MockLog([string] $Line)
{
	if ($env:MOCK_LOG) { [IO.File]::AppendAllText($env:MOCK_LOG, $Line + "`n") }
}

# Does MOCK_FAIL name this call? The calls are counted in a file, since each module has variables of its own.
function Test-MockFault([string] $Name)
{
	if (-not $env:MOCK_FAIL) { return $false }
	$file = $env:MOCK_WINDOWS + '.calls'
	$lines = @()
	if (Test-Path -LiteralPath $file) { $lines = @([IO.File]::ReadAllLines($file)) }
	[IO.File]::AppendAllText($file, $Name + "`n")
	$count = @($lines | Where-Object { $_ -eq $Name }).Count + 1
	foreach ($wish in $env:MOCK_FAIL.Split(';')) {
		$words = $wish.Split(':')
		if ($words[0] -eq $Name -and ($words[1] -eq '*' -or [int] $words[1] -eq $count)) { return $true }
	}
	return $false
}

function New-MockError([string] $Text, [string] $Id, [string] $Category, $Target)
{
	return New-Object Management.Automation.ErrorRecord (
		(New-Object Exception $Text), $Id, ([Management.Automation.ErrorCategory] $Category), $Target)
}

# No match is an error for a plain value, but not for a wildcard.
function Select-MockByProperty($Cmdlet, [string] $Class, [string] $Property, $Values, $Objects, [bool] $Globbing)
{
	if ($null -eq $Values) { return @($Objects) }
	$found = @()
	foreach ($value in @($Values)) {
		if ($Globbing -and [Management.Automation.WildcardPattern]::ContainsWildcardCharacters([string] $value)) {
			$found += @($Objects | Where-Object { [string] $_.$Property -like [string] $value })
			continue
		}
		$these = @($Objects | Where-Object { [string] $_.$Property -eq [string] $value })
		if ($these.Count -eq 0) {
			$text = "No $Class objects found with property '$Property' equal to '$value'.  Verify the value of the property and retry."
			$Cmdlet.WriteError((New-MockError $text "CmdletizationQuery_NotFound_$Property" 'ObjectNotFound' $value))
		}
		$found += $these
	}
	return $found
}

function Select-MockPlain($Objects, [string] $Property, $Values)
{
	if ($null -eq $Values) { return @($Objects) }
	return @($Objects | Where-Object { @($Values | ForEach-Object { [string] $_ }) -contains [string] $_.$Property })
}

function Get-MockIndex($Machine, [string] $Alias)
{
	foreach ($one in $Machine.interfaces) { if ($one.InterfaceAlias -eq $Alias) { return $one.InterfaceIndex } }
	return $null
}
