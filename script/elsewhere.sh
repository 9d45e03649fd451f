# Servers that this machine does not have, for script/test, which sources this file: a folder with a whole small Debian in
# it, in which script/test runs again.
#
# The folder is made once, by mmdebstrap from the mirror that this machine's apt knows, and kept in the caller's cache.
# What runs in it sees the tree read-only and a /tmp of its own; its mounts and processes are private to it and gone with
# it, however it ends.

CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/reco

# What each folder holds: the releases of Debian it is made from, the first being what all but the servers come from, and
# the servers. 14 and 16 are in none of them; 19 is not out yet and gates nothing.
declare -A RELEASES=([servers]='forky trixie bookworm' [canary]='sid experimental')
declare -A SERVERS=([servers]='15 17 18' [canary]='19')

# Servers for which there is no pgTAP yet.
WITHOUT_PGTAP='19'

# Prints the parts of the tests that a server may make a difference to.
parts_on() {
	local part
	for part in "${SERVER_PARTS[@]}"; do
		[ "$part" = pgtap ] && [[ " $WITHOUT_PGTAP " == *" $1 "* ]] || echo "$part"
	done
}

# Servers that are tested besides this machine's own by the part "servers".
OTHER_SERVERS='17 18'

# What that part runs there; script/test --pg 17 also runs tap, which takes as long as all else together.
OTHER_PARTS='regress isolation pgtap'

# What script/test needs there beside the servers, and what the checks of memory do. The compiler of the
# JIT's bitcode, which is never run, stays out.
TOOLS='gcc,libc6-dev,make,perl,xz-utils,libipc-run-perl,libtap-parser-sourcehandler-pgtap-perl'
CHECKERS='bison,flex,dpkg-dev,valgrind,libc6-dbg'
LEFT_OUT='/usr/lib/llvm-*/lib/*.a /usr/lib/llvm-*/bin/* /usr/lib/llvm-*/include/* /usr/bin/clang*'

# The status of what cannot be tried here, which is no failure of reco's.
NOT_HERE=77

# Says why something cannot be tried here.
cannot() {
	say "skipped: $*"
	return "$NOT_HERE"
}

# Runs a command as root.
as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

# Prints the mirror of Debian that this machine's apt uses; nothing where it uses none.
debian_mirror() {
	apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' 2>/dev/null | awk '$2 == "Debian" { print $1; exit }'
}

# Prints the name of the folder that has a server of a major version.
folder_of() {
	local name
	for name in "${!SERVERS[@]}"; do
		[[ " ${SERVERS[$name]} " != *" $1 "* ]] || echo "$name"
	done
}

# Prints the lines of apt's sources for a folder, for whoever makes it.
sources_of() {
	local release
	for release in ${RELEASES[$1]}; do
		echo "deb $2 $release main"
		[ "$release" != "${RELEASES[$1]%% *}" ] || echo "deb-src $2 $release main"
	done
}

# Prints the packages of a folder, between commas.
packages_of() {
	local packages=$TOOLS,$CHECKERS major
	for major in ${SERVERS[$1]}; do
		packages+=,postgresql-$major,postgresql-server-dev-$major
		[[ " $WITHOUT_PGTAP " == *" $major "* ]] || packages+=,postgresql-$major-pgtap
	done
	echo "$packages"
}

# Prints everything that a folder depends on, which stamps it.
recipe_of() {
	echo "1 $(sources_of "$1" mirror) $(packages_of "$1") $LEFT_OUT"
}

# Prints the preferences of apt in a folder: from all releases but the first only what the first does not have.
preferences_of() {
	local release
	for release in ${RELEASES[$1]#* }; do
		printf 'Package: *\nPin: release n=%s\nPin-Priority: 100\n\n' "$release"
	done
	[ "$1" != canary ] || printf 'Package: src:postgresql-19\nPin: release a=experimental\nPin-Priority: 900\n'
}

# Makes a folder by mmdebstrap, to which its words go when it fails.
run_mmdebstrap() {
	local name=$1 folder=$2 mirror=$3 options=() pattern
	for pattern in $LEFT_OUT; do options+=(--dpkgopt="path-exclude=$pattern"); done
	preferences_of "$name" >"$work/preferences"
	printf '#!/bin/sh\nexit 101\n' >"$work/policy-rc.d"
	chmod +x "$work/policy-rc.d"
	sources_of "$name" "$mirror" | as_root mmdebstrap --verbose --mode=root --variant=minbase "${options[@]}" \
		--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
		--setup-hook="copy-in $work/preferences /etc/apt/preferences.d" \
		--essential-hook="copy-in $work/policy-rc.d /usr/sbin" \
		--essential-hook='mkdir -p "$1/etc/postgresql-common/createcluster.d"
			echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.d/reco.conf"' \
		--include="$(packages_of "$name")" "${RELEASES[$name]%% *}" "$folder" -
}

# Makes a folder unless it is there already; where that cannot be done here, says why.
make_folder() {
	local name=$1 folder=$CACHE/$1 mirror began=$SECONDS
	command -v apt-get >/dev/null || cannot "this is not Debian, from which other servers are taken" || return
	as_root true 2>/dev/null || cannot "only root can run what is in a folder of its own" || return
	mkdir -p "$CACHE"
	exec 9>"$CACHE/$name.lock"
	flock 9
	if [ "$(cat "$folder.recipe" 2>/dev/null)" != "$(recipe_of "$name")" ]; then
		mirror=$(debian_mirror)
		[ -n "$mirror" ] || cannot "apt knows no mirror of Debian here" || return
		"$here/bootstrap" --also mmdebstrap || cannot "mmdebstrap cannot be installed" || return
		say "making $folder: Debian with PostgreSQL ${SERVERS[$name]// /, } (a minute or two, two gigabytes)"
		as_root rm -rf --one-file-system "$folder" "$folder.recipe" "$folder.new"
		if ! run_mmdebstrap "$name" "$folder.new" "$mirror" >"$work/folder.log" 2>&1; then
			show "$work/folder.log" 15
			as_root rm -rf --one-file-system "$folder.new"
			cannot "Debian with PostgreSQL ${SERVERS[$name]// /, } could not be put together" || return
		fi
		mv "$folder.new" "$folder"
		recipe_of "$name" >"$folder.recipe"
		say "made it in $((SECONDS - began)) s: $(du -smx "$folder" | cut -f1) MB"
	fi
	exec 9>&-
}

# Runs a command in a folder, as root, with this tree at /srv, the real data at /media, and a /tmp that is a folder of ours.
in_folder() {
	local folder=$CACHE/$1
	shift
	mkdir -p "$work/tmp"
	chmod 1777 "$work/tmp"
	as_root unshare --mount --pid --fork --kill-child bash -euc '
		folder=$1 tmp=$2 tree=$3 data=$4
		shift 4
		mount --bind "$folder" "$folder"
		mount -t proc proc "$folder/proc"
		mount --rbind /dev "$folder/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$folder/dev/shm"
		mount --bind "$tmp" "$folder/tmp"
		mount --bind "$tree" "$folder/srv"
		mount -o remount,bind,ro "$folder/srv"
		[ -z "$data" ] || mount --bind "$data" "$folder/media"
		cat /etc/resolv.conf >"$folder/etc/resolv.conf" || true
		cat /etc/hosts >"$folder/etc/hosts" || true
		# Not chroot, in which no test could make a namespace of its own.
		cd "$folder"
		pivot_root . mnt
		cd /
		umount -l /mnt
		exec /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
			LC_ALL=C.UTF-8 ${data:+RECO_DATA=/media} "$@"
	' in_folder "$folder" "$work/tmp" "$root" "${RECO_DATA:-}" "$@"
}

# Runs script/test itself in a folder with the server of a pg_config that is there; further arguments are parts.
test_in_folder() {
	local name=$1 pg_config=$2
	shift 2
	in_folder "$name" PG_CONFIG="$pg_config" ${RECO_SLOW:+RECO_SLOW=1} ${RECO_UNDER:+RECO_UNDER="$RECO_UNDER"} /srv/script/test "$@"
}

# Runs parts of the tests on the server of a major version: this machine's own, or one in a folder.
test_on() {
	local major=$1 own=/usr/lib/postgresql/$1/bin/pg_config name
	shift
	if [ -x "$own" ] && [ -f "$("$own" --pgxs)" ]; then
		PG_CONFIG=$own "$root/script/test" "$@"
		return
	fi
	name=$(folder_of "$major")
	[ -n "$name" ] || cannot "no release of Debian has PostgreSQL $major; PG_CONFIG names a server that is there" || return
	make_folder "$name" || return
	test_in_folder "$name" "/usr/lib/postgresql/$major/bin/pg_config" "$@"
}

# The other servers: what the tests there say, and their counts added to ours.
test_servers() {
	local major status counts
	for major in $OTHER_SERVERS; do
		say "--- PostgreSQL $major"
		status=0
		"$root/script/test" --pg "$major" $OTHER_PARTS 2>&1 </dev/null | sed -u 's/^/    /' | tee "$work/server.$major" || status=$?
		counts=$(grep -E '^ *[0-9]+ passed, [0-9]+ failed' "$work/server.$major" | tail -n 1)
		add_counts "PostgreSQL $major" "$status" "$counts"
		faults+=$(awk -v on= -v server="PostgreSQL $major:" '
			/^ *[0-9]+ passed, / { on = "" } on { print } /^ *--- what failed/ { on = 1; print server }' "$work/server.$major")$'\n'
	done
}

# Adds the last line of a run of script/test to the counts: caption, its status, the line.
add_counts() {
	local caption=$1 status=$2
	if [[ $3 =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
		[ "$status" = 0 ] || [ "${BASH_REMATCH[2]}" != 0 ] || [ "${BASH_REMATCH[1]}" = 0 ] || failed=$((failed + 1))
	else
		fault "$caption: it did not say how it went (status $status)" /dev/null
		failed=$((failed + 1))
	fi
}
