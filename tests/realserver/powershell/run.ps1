# SPDX-License-Identifier: ISC
#
# Runs a script as an elevated administrator of the machine of common.ps1.
#   pwsh -NoProfile -File run.ps1 [-NotElevated] SCRIPT ARGUMENT...
$arguments = @($args)
$elevated = $true
if ($arguments.Count -gt 0 -and $arguments[0] -eq '-NotElevated') {
	$elevated = $false
	$arguments = @($arguments[1..($arguments.Count - 1)])
}
$env:PSModulePath = (Join-Path $PSScriptRoot 'modules') + [IO.Path]::PathSeparator + $env:PSModulePath
# .NET has no Windows identity on other systems: these classes take its names.
enum MockRole { Administrator = 544 }
class MockIdentity { static [bool] $Elevated = $true; static [MockIdentity] GetCurrent() { return [MockIdentity]::new() } }
class MockPrincipal { MockPrincipal([MockIdentity] $Identity) { } [bool] IsInRole([MockRole] $Role) { return [MockIdentity]::Elevated } }
[MockIdentity]::Elevated = $elevated
$accelerators = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')
$accelerators::Add('Security.Principal.WindowsIdentity', [MockIdentity])
$accelerators::Add('Security.Principal.WindowsPrincipal', [MockPrincipal])
$accelerators::Add('Security.Principal.WindowsBuiltInRole', [MockRole])
$file = $arguments[0]
# The words are read as at the prompt: a list with commas is a list.
$line = '& ' + "'" + $file.Replace("'", "''") + "'"
foreach ($word in @($arguments | Select-Object -Skip 1)) { $line += ' ' + $word }
$global:LASTEXITCODE = 0
Invoke-Expression $line
exit $global:LASTEXITCODE
