# A build of reco and a private server to try it on, for the scripts beside this file, which source it.
#
# Everything lives in one temporary folder, $work: a copy of the tree, what `make install` would have put into the
# system, the server's data and its socket. No other cluster, no port and no system folder is touched, so any number
# of these run side by side; leaving the script stops the server and removes the folder.

# The caller's own connection and make settings must not leak in.
for name in ${!PG@}; do
	[ "$name" = PG_CONFIG ] || unset "$name"
done
unset MAKEFLAGS MFLAGS MAKELEVEL
export LC_ALL=C.UTF-8

# A program to run in place of the server itself, which it then starts; usually there is none.
server_program=

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=
owner=

# Tells the person at the terminal what goes on.
say() {
	printf '%s\n' "$*"
}

# Ends the script with a message that says what to do.
die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Runs a command as the unprivileged owner of the folder; PostgreSQL refuses to run as root.
as_owner() {
	if [ "$owner" = "$(id -un)" ]; then
		HOME=$work "$@"
	else
		HOME=$work runuser -u "$owner" -- "$@"
	fi
}

# Chooses the owner: whoever calls, and for root the user that came with PostgreSQL.
choose_owner() {
	owner=$(id -un)
	if [ "$(id -u)" = 0 ]; then
		owner=postgres
		id -u "$owner" >/dev/null 2>&1 || owner=nobody
	fi
}

# Makes $work in the first place that its owner can use and whose path is short enough for a socket (107 bytes).
make_work() {
	local place
	choose_owner
	for place in "${TMPDIR:-/tmp}" /tmp /var/tmp; do
		[ "${#place}" -le 60 ] && work=$(mktemp -d "$place/reco.XXXXXX" 2>/dev/null) || continue
		trap clean_up EXIT
		trap 'exit 129' HUP
		trap 'exit 130' INT
		trap 'exit 143' TERM
		chown "$owner" "$work"
		if as_owner test -w "$work"; then
			cd "$work"
			return
		fi
		rm -rf "$work"
	done
	work=
	die "no temporary folder that user $owner can write to. set TMPDIR to one"
}

# Stops the server and removes the folder, whichever way the script ends.
clean_up() {
	local status=$?
	set +e
	trap - EXIT
	trap '' HUP INT TERM
	cd /
	stop_server
	[ -z "$work" ] || rm -rf "$work"
	exit "$status"
}

# Copies the tree, without what a build or git left in it, to a folder of the owner's.
copy_tree() {
	mkdir "$1"
	tar -C "$root" -cf - --exclude=./.git --exclude='*.o' --exclude='*.d' --exclude='*.so' --exclude='*.bc' --exclude=test/results --exclude=output_iso \
		--exclude=tmp_check . | tar -C "$1" -xf - --no-same-owner
	chown -R "$owner" "$1"
}

# Runs make in a copy of the tree, as its owner, for the chosen server.
make_in() {
	local folder=$1
	shift
	as_owner make -s -C "$folder" PG_CONFIG="$PG_CONFIG" "$@"
}

# Builds reco in $work/build and installs it into $work/install; further arguments go to make.
build() {
	copy_tree "$work/build"
	make_in "$work/build" -j2 "$@"
	make_in "$work/build" install DESTDIR="$work/install" "$@"
}

# Says whether the server knows a setting.
knows_setting() {
	as_owner "$bindir/postgres" -D "$work/data" -C "$1" >/dev/null 2>&1
}

# Prints the lines of postgresql.conf that make a server find the extension in $work/install.
find_extension() {
	local share lib
	share=$("$PG_CONFIG" --sharedir)
	lib=$("$PG_CONFIG" --pkglibdir)
	if knows_setting extension_control_path; then
		echo "extension_control_path = '$work/install$share:\$system'"
		echo "dynamic_library_path = '$work/install$lib:\$libdir'"
	elif knows_setting extension_destdir; then
		echo "extension_destdir = '$work/install'"
		echo "dynamic_library_path = '$work/install$lib:\$libdir'"
	fi
}

# Installs reco into the system, for servers that can look nowhere else.
install_into_system() {
	say "this server finds extensions in its own folders only: installing reco there (make uninstall removes it)"
	if [ -w "$("$PG_CONFIG" --pkglibdir)" ]; then
		make -s -C "$work/build" install PG_CONFIG="$PG_CONFIG"
	else
		sudo make -s -C "$work/build" install PG_CONFIG="$PG_CONFIG"
	fi
}

# Makes and starts the private server and points every client at it. Call it after build.
start_server() {
	bindir=$("$PG_CONFIG" --bindir)
	as_owner "$bindir/initdb" -D "$work/data" -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync \
		>"$work/initdb.log" 2>&1 || die "initdb failed: $(tail -n 3 "$work/initdb.log")"
	find_extension >"$work/extension.conf"
	chown "$owner" "$work/extension.conf"
	[ -s "$work/extension.conf" ] || install_into_system
	as_owner mkdir -m 700 "$work/socket"
	cat >>"$work/data/postgresql.conf" <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$work/socket'
		port = 5432
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		include '$work/extension.conf'
	CONF
	as_owner "$bindir/pg_ctl" -D "$work/data" -l "$work/server.log" -t 300 -w -s ${server_program:+-p "$server_program"} start \
		>"$work/start.log" 2>&1 ||
		die "the private server did not start: $(tail -n 5 "$work/server.log" 2>/dev/null)"
	export PGHOST=$work/socket PGPORT=5432 PGUSER=postgres PGDATABASE=postgres
	export PATH=$bindir:$PATH
}

# Stops the private server, if it was started, by the process that its own data folder names.
stop_server() {
	if [ -n "$work" ] && [ -e "$work/data/postmaster.pid" ]; then
		as_owner "$bindir/pg_ctl" -D "$work/data" -m immediate -w -s stop >/dev/null 2>&1
	fi
}

# Runs psql on the private server: no settings of the caller's, an error ends it with a status.
sql() {
	psql -X -q -v ON_ERROR_STOP=1 -P pager=off "$@"
}
