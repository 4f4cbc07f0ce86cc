/* SPDX-License-Identifier: ISC */
/*
 * Imitates netsh, route and findstr of an old Windows, as far as dsr-realserver.cmd uses them, for Wine's
 * cmd.exe. One program: its own name says which one it is.
 *
 * PRETEND_STATE    what the machine has, a line each:
 *                      if FAMILY NAME|WEAK RECEIVE|WEAK SEND|INDEX
 *                      addr FAMILY NAME|ADDRESS|MASK|SKIPASSOURCE
 *                      dhcp NAME                 the adapter gets its address by DHCP
 *                      gateway ADDRESS           the default route uses the interface with this address
 *                      dns NAME|SERVERS|REGISTER|SOURCE
 *                      rule NAME|ARGUMENTS
 *                      port PROTOCOL|PORT|INTERFACE
 * PRETEND_WINDOWS  2000, 2003, 2003sp1, 2008 (no skipassource), 2008r2: what its netsh does not know is refused
 * PRETEND_FAIL     a word: a changing call with it fails, as netsh does without elevation
 * PRETEND_KILL     N: the Nth changing call of a run is made, and then every cmd.exe is killed; PRETEND_CALLS is the
 * file of the
 *                  counter, and PRETEND_KILLED one that says that it is done
 *
 * Grammar: the reference of netsh interface of Windows Server 2008, and of netsh firewall of Server 2003.
 */
#include <windows.h>
#include <tlhelp32.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LINES 256
#define LINE_SIZE 512

static char lines[MAX_LINES][LINE_SIZE]; /* an empty line is free */
static int line_count;
static const char *version = "2008r2";

static const char not_found[] = "The following command was not found.";
static const char bad_syntax[] =
    "The syntax supplied for this command is not valid. Check help for the correct syntax.";
static const char no_interface[] = "The filename, directory name, or volume label syntax is incorrect.";

static void
load(void)
{
	FILE *file = fopen(getenv("PRETEND_STATE"), "r");

	while (file != NULL && line_count < MAX_LINES && fgets(lines[line_count], LINE_SIZE, file) != NULL) {
		lines[line_count][strcspn(lines[line_count], "\r\n")] = '\0';
		line_count++;
	}
	if (file != NULL)
		fclose(file);
}

static void
save(void)
{
	FILE *file = fopen(getenv("PRETEND_STATE"), "wb");

	for (int i = 0; i < line_count; i++) {
		if (lines[i][0] != '\0')
			fprintf(file, "%s\n", lines[i]);
	}
	fclose(file);
}

static int
same(const char *a, const char *b)
{
	return _stricmp(a, b) == 0;
}

static int
begins(const char *text, const char *start)
{
	return _strnicmp(text, start, strlen(start)) == 0;
}

/* The value of "tag=value", or NULL. */
static const char *
tagged(const char *word, const char *tag)
{
	size_t length = strlen(tag);

	return begins(word, tag) && word[length] == '=' ? word + length + 1 : NULL;
}

static const char *
untagged(const char *word, const char *tag)
{
	const char *value = tagged(word, tag);

	return value != NULL ? value : word;
}

static int
refuse(const char *text)
{
	printf("%s\r\n\r\n", text);
	return 1;
}

static char *
find(const char *start)
{
	for (int i = 0; i < line_count; i++) {
		if (lines[i][0] != '\0' && begins(lines[i], start))
			return lines[i];
	}
	return NULL;
}

static void
add(const char *line)
{
	if (line_count < MAX_LINES)
		snprintf(lines[line_count++], LINE_SIZE, "%s", line);
}

static int
old(void)
{
	return strcmp(version, "2000") == 0 || begins(version, "2003");
}

/* The name of the interface with this name or index. */
static const char *
interface_name(const char *family, const char *word)
{
	static char name[200];
	char its_family[8], index[12];

	for (int i = 0; i < line_count; i++) {
		if (sscanf(lines[i], "if %7s %199[^|]|%*[^|]|%*[^|]|%11s", its_family, name, index) == 3 &&
		    same(its_family, family) &&
		    (same(name, word) || (!old() && same(index, word))))
			return name;
	}
	return NULL;
}

static int
show_interface(const char *family, const char *name)
{
	char key[256], receive[20], send[20];
	const char *line;

	snprintf(key, sizeof(key), "if %s %s|", family, name);
	if ((line = find(key)) == NULL)
		return refuse(no_interface);
	sscanf(line + strlen(key), "%19[^|]|%19[^|]", receive, send);
	printf("\r\nInterface %s Parameters\r\n----------------------------------------------\r\n"
	       "IfLuid                             : ethernet_6\r\nState                              : connected\r\n"
	       "Weak Host Sends                    : %s\r\nWeak Host Receives                 : %s\r\n"
	       "Use Automatic Metric               : enabled\r\n\r\n",
	    name, send, receive);
	return 0;
}

static int
set_interface(const char *family, int argc, char **argv)
{
	char key[256], receive[20], send[20], index[12];
	const char *value;
	char *line;

	snprintf(key, sizeof(key), "if %s %s|", family, argv[0]);
	if ((line = find(key)) == NULL)
		return refuse(no_interface);
	sscanf(line + strlen(key), "%19[^|]|%19[^|]|%11s", receive, send, index);
	for (int i = 1; i < argc; i++) {
		char *which = tagged(argv[i], "weakhostreceive") != NULL ? receive :
		    tagged(argv[i], "weakhostsend") != NULL		 ? send :
									   NULL;

		if (which == NULL)
			return refuse(bad_syntax);
		value = strchr(argv[i], '=') + 1;
		if (!same(value, "enabled") && !same(value, "disabled"))
			return refuse(bad_syntax);
		snprintf(which, sizeof(receive), "%s", value);
	}
	snprintf(line, LINE_SIZE, "%s%s|%s|%s", key, receive, send, index);
	printf("Ok.\r\n\r\n");
	return 0;
}

static int
has_address(const char *address)
{
	char part[128];

	snprintf(part, sizeof(part), "|%s|", address);
	for (int i = 0; i < line_count; i++) {
		if (begins(lines[i], "addr ") && strstr(lines[i], part) != NULL)
			return 1;
	}
	return 0;
}

static int
add_address(const char *family, int argc, char **argv)
{
	char key[256], line[LINE_SIZE], address[100], mask[100] = "255.255.255.0";
	const char *skip = "false";
	char *slash;
	int i = 2;

	snprintf(key, sizeof(key), "dhcp %s", argv[0]);
	if (argc < 2)
		return refuse(bad_syntax);
	if (old() && find(key) != NULL)
		return refuse("The system could not add the address: the interface is configured by DHCP.");
	snprintf(address, sizeof(address), "%s", argv[1]);
	if ((slash = strchr(address, '/')) != NULL) {
		snprintf(mask, sizeof(mask), "%s", slash);
		*slash = '\0';
	}
	if (i < argc && strchr(argv[i], '=') == NULL)
		snprintf(mask, sizeof(mask), "%s", argv[i++]);
	for (; i < argc; i++) {
		if (tagged(argv[i], "skipassource") == NULL || old() || strcmp(version, "2008") == 0)
			return refuse(bad_syntax);
		skip = tagged(argv[i], "skipassource");
	}
	if (has_address(address))
		return refuse("The object already exists.");
	snprintf(line, sizeof(line), "addr %s %s|%s|%s|%s", family, argv[0], address, mask, skip);
	add(line);
	printf("\r\n");
	return 0;
}

/* Only on an old system: the one address of an adapter, or DHCP again. */
static int
set_address(int argc, char **argv)
{
	char key[256], line[LINE_SIZE], *found;

	if (argc < 2 || !old())
		return refuse(bad_syntax);
	snprintf(key, sizeof(key), "addr ipv4 %s|", argv[0]);
	while ((found = find(key)) != NULL)
		found[0] = '\0';
	snprintf(line, sizeof(line), "dhcp %s", argv[0]);
	if (same(untagged(argv[1], "source"), "dhcp")) {
		if (find(line) == NULL)
			add(line);
		return 0;
	}
	if (argc != 4 || !same(untagged(argv[1], "source"), "static"))
		return refuse(bad_syntax);
	if ((found = find(line)) != NULL)
		found[0] = '\0';
	snprintf(line, sizeof(line), "addr ipv4 %s|%s|%s|false", argv[0], untagged(argv[2], "addr"),
	    untagged(argv[3], "mask"));
	add(line);
	return 0;
}

static int
delete_address(const char *family, int argc, char **argv)
{
	char key[256], *line;

	if (argc < 2)
		return refuse(bad_syntax);
	snprintf(key, sizeof(key), "addr %s %s|%s|", family, argv[0], untagged(argv[1], "addr"));
	if ((line = find(key)) == NULL)
		return refuse("Element not found.");
	line[0] = '\0';
	printf("\r\n");
	return 0;
}

/*
 * IPv4 has the address at the line's end, IPv6 in the middle; without a name IPv6 is a table with the address at the
 * end.
 */
static int
show_addresses(const char *family, int argc, char **argv)
{
	char key[256];

	snprintf(key, sizeof(key), argc > 0 ? "addr %s %s|" : "addr %s ", family, argc > 0 ? argv[0] : "");
	for (int i = 0; i < line_count; i++) {
		const char *address = begins(lines[i], key) ? strchr(lines[i], '|') + 1 : NULL;
		int length = address != NULL ? (int)strcspn(address, "|") : 0;

		if (address == NULL)
			continue;
		if (same(family, "ipv4"))
			printf("\r\nConfiguration for interface\r\n    DHCP enabled:                         No\r\n"
			       "    IP Address:                           %.*s\r\n    InterfaceMetric:                 "
			    "     1\r\n",
			    length, address);
		else if (argc > 0)
			printf("\r\nAddress %.*s Parameters\r\n-----------------\r\nDAD State          : Preferred\r\n",
			    length, address);
		else
			printf("Manual     Preferred     infinite   infinite %.*s\r\n", length, address);
	}
	return 0;
}

static int
dns(const char *verb, int argc, char **argv)
{
	char key[256], servers[100] = "None", reg[20] = "primary", source[20] = "static", *line;

	if (argc < 1)
		return refuse(bad_syntax);
	snprintf(key, sizeof(key), "dns %s|", argv[0]);
	if ((line = find(key)) != NULL)
		sscanf(line + strlen(key), "%99[^|]|%19[^|]|%19s", servers, reg, source);
	if (same(verb, "show")) {
		printf("\r\nConfiguration for interface \"%s\"\r\n    %s  %s\r\n    Register with which suffix:        "
		    "   %s\r\n", argv[0],
		    same(source, "dhcp") ? "DNS servers configured through DHCP:" : "Statically Configured DNS "
		    "Servers:  ", servers,
		    same(reg, "none") ? "None" : "Primary only");
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		if (tagged(argv[i], "register") != NULL && strcmp(version, "2000") != 0)
			snprintf(reg, sizeof(reg), "%s", tagged(argv[i], "register"));
		else if (tagged(argv[i], "source") != NULL)
			snprintf(source, sizeof(source), "%s", tagged(argv[i], "source"));
		else if (tagged(argv[i], old() ? "addr" : "address") == NULL)
			return refuse(bad_syntax);
	}
	if (line == NULL) {
		add("new");
		line = lines[line_count - 1];
	}
	snprintf(line, LINE_SIZE, "%sNone|%s|%s", key, reg, source);
	return 0;
}

static int
interfaces(int argc, char **argv)
{
	const char *family = argv[0], *verb, *object, *name;

	if (argc < 3)
		return refuse(not_found);
	if (same(family, "ip"))
		family = "ipv4";
	else if (old())
		return refuse(not_found);
	verb = argv[1];
	object = argv[2];
	argc -= 3;
	argv += 3;
	if (argc > 0) {
		argv[0] = (char *)untagged(argv[0], "name");
		if ((name = interface_name(family, argv[0])) == NULL)
			return refuse(no_interface);
		argv[0] = strdup(name);
	}
	if (same(verb, "show") && same(object, "interface") && argc > 0 && !old())
		return show_interface(family, argv[0]);
	if (same(verb, "set") && same(object, "interface") && argc > 1 && !old())
		return set_interface(family, argc, argv);
	if (same(object, "dns") || (!old() && same(object, "dnsservers")))
		return dns(verb, argc, argv);
	/* Windows takes the beginning of a word for the word, and 2003's word is "address". */
	if (same(verb, "show") && (same(object, "address") || (!old() && same(object, "addresses"))))
		return show_addresses(family, argc, argv);
	if (!same(object, "address"))
		return refuse(not_found);
	if (same(verb, "add"))
		return add_address(family, argc, argv);
	if (same(verb, "set"))
		return set_address(argc, argv);
	return same(verb, "delete") ? delete_address(family, argc, argv) : refuse(not_found);
}

static int
add_rule(const char *key, int argc, char **argv)
{
	static const char *const known[] = { "name", "dir", "action", "protocol", "localip", "localport", "profile" };
	char line[LINE_SIZE];

	snprintf(line, sizeof(line), "%s", key);
	for (int i = 0; i < argc; i++) {
		size_t k = 0;

		while (k < sizeof(known) / sizeof(known[0]) && tagged(argv[i], known[k]) == NULL)
			k++;
		if (k == sizeof(known) / sizeof(known[0]))
			return refuse("A specified value is not valid.");
		if (k > 0)
			snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s ", argv[i]);
	}
	add(line);
	printf("Ok.\r\n");
	return 0;
}

static int
advfirewall(int argc, char **argv)
{
	const char *name = NULL;
	char key[256], *line;
	int deleted = 0;

	if (old() || argc < 4 || !same(argv[0], "firewall") || !same(argv[2], "rule") ||
	    (name = tagged(argv[3], "name")) == NULL)
		return refuse(not_found);
	snprintf(key, sizeof(key), "rule %s|", name);
	if (same(argv[1], "add"))
		return add_rule(key, argc - 3, argv + 3);
	if (find(key) == NULL)
		return refuse("No rules match the specified criteria.");
	while (same(argv[1], "delete") && (line = find(key)) != NULL) {
		line[0] = '\0';
		deleted++;
	}
	printf(deleted > 0 ? "Deleted %d rule(s).\r\nOk.\r\n" : "Rule Name: there\r\nOk.\r\n", deleted);
	return 0;
}

static int
firewall(int argc, char **argv)
{
	char key[256], *line;
	const char *on = "*";

	if (strcmp(version, "2000") == 0 || strcmp(version, "2003") == 0 || argc < 2)
		return refuse(not_found);
	if (same(argv[0], "show")) {
		if (same(argv[1], "portopening") && find("port ") != NULL)
			printf("80     TCP  Enable  dsr-realserver\r\n");
		return 0;
	}
	if (argc < 4)
		return refuse(bad_syntax);
	for (int i = 4; i < argc; i++) {
		if (tagged(argv[i], "interface") != NULL)
			on = tagged(argv[i], "interface");
	}
	snprintf(key, sizeof(key), "port %s|%s|%s", argv[2], argv[3], on);
	line = find(key);
	if (same(argv[0], "add")) {
		if (line == NULL)
			add(key);
		return 0;
	}
	if (line == NULL)
		return refuse("The system cannot find the file specified.");
	line[0] = '\0';
	return 0;
}

static void
write_count(const char *path, int calls)
{
	FILE *file = fopen(path, "wb");

	fprintf(file, "%d\n", calls);
	fclose(file);
}

/*
 * Counts this changing call, and kills every cmd.exe after the one that is asked for. The file PRETEND_KILLED is
 * there when that is done: the test must not start another one before.
 */
static void
kill_at(void)
{
	const char *wish = getenv("PRETEND_KILL"), *counter = getenv("PRETEND_CALLS");
	PROCESSENTRY32 entry = { .dwSize = sizeof(entry) };
	FILE *file;
	int calls = 0;
	HANDLE all;

	if (wish == NULL || counter == NULL)
		return;
	if ((file = fopen(counter, "r")) != NULL) {
		fscanf(file, "%d", &calls);
		fclose(file);
	}
	write_count(counter, ++calls);
	if (calls != strtol(wish, NULL, 10))
		return;
	all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
	for (BOOL more = Process32First(all, &entry); more; more = Process32Next(all, &entry)) {
		if (same(entry.szExeFile, "cmd.exe"))
			TerminateProcess(OpenProcess(PROCESS_TERMINATE, FALSE, entry.th32ProcessID), 99);
	}
	write_count(getenv("PRETEND_KILLED"), calls);
}

static int
netsh(int argc, char **argv)
{
	const char *wish = getenv("PRETEND_FAIL");
	int changes = 1, status = -1;

	for (int i = 1; i < argc; i++) {
		if (same(argv[i], "show"))
			changes = 0;
	}
	for (int i = 1; changes && wish != NULL && i < argc; i++) {
		if (strstr(argv[i], wish) != NULL)
			return refuse("The requested operation requires elevation (Run as administrator).");
	}
	load();
	if (argc > 2 && same(argv[1], "interface"))
		status = interfaces(argc - 2, argv + 2);
	else if (argc > 2 && same(argv[1], "advfirewall"))
		status = advfirewall(argc - 2, argv + 2);
	else if (argc > 2 && same(argv[1], "firewall"))
		status = firewall(argc - 2, argv + 2);
	else
		return refuse(not_found);
	if (changes) {
		save();
		fflush(stdout);
		kill_at();
	}
	return status;
}

static int
route(void)
{
	load();
	printf("Active Routes:\r\nNetwork Destination        Netmask          Gateway       Interface  Metric\r\n");
	for (int i = 0; i < line_count; i++) {
		if (begins(lines[i], "gateway "))
			printf("          0.0.0.0          0.0.0.0        192.0.2.1     %s     20\r\n",
			    lines[i] + strlen("gateway "));
	}
	printf("Persistent Routes:\r\n          0.0.0.0          0.0.0.0        192.0.2.1       1\r\n");
	return 0;
}

static int
matches(const char *line, const char *what, int fold, char where)
{
	size_t length = strlen(line), size = strlen(what);

	for (size_t i = 0; i + size <= length; i++) {
		if ((where == 'b' || where == 'x') && i > 0)
			break;
		if ((where == 'e' || where == 'x') && i + size != length)
			continue;
		if ((fold ? _strnicmp(line + i, what, size) : strncmp(line + i, what, size)) == 0)
			return 1;
	}
	return 0;
}

static int
findstr(int argc, char **argv)
{
	int fold = 0, found = 0;
	const char *what = "";
	char where = '*', line[1024];

	for (int i = 1; i < argc; i++) {
		if (begins(argv[i], "/c:"))
			what = argv[i] + 3;
		else if (same(argv[i], "/i"))
			fold = 1;
		else if (same(argv[i], "/b") || same(argv[i], "/e") || same(argv[i], "/x"))
			where = (char)tolower((unsigned char)argv[i][1]);
		else if (!same(argv[i], "/l"))
			return 2;
	}
	while (fgets(line, sizeof(line), stdin) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (matches(line, what, fold, where)) {
			printf("%s\n", line);
			found = 1;
		}
	}
	return found ? 0 : 1;
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '\\') != NULL ? strrchr(argv[0], '\\') + 1 : argv[0];

	if (getenv("PRETEND_WINDOWS") != NULL)
		version = getenv("PRETEND_WINDOWS");
	if (begins(name, "findstr"))
		return findstr(argc, argv);
	if (begins(name, "route"))
		return route();
	return netsh(argc, argv);
}
