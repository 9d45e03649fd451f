# What the tests share that stop, kill and starve a refresh: a server, sessions that do not wait for an answer, a refresh
# that is stopped in a phase of its own choosing, and a look at what is left behind.
#
# No hook in the library is needed to stop a refresh where one likes: the view reco_progress says which phase it is in,
# and SIGSTOP makes a process stay there.

package Faults;

use strict;
use warnings;
use Exporter 'import';
use List::Util qw(max min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(server is_slow session send_off answer_of stop_in_phase shared_memory_of kill_postmaster crash_of create_shop state_of leftovers log_holds_no_fault start_after scheduled);

# A server that comes back after a crash, with whatever further settings.
sub server
{
	my ($name, $settings, %with) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(%with);
	$node->append_conf('postgresql.conf', slurp_file($ENV{RECO_SERVER_CONF}))
	  if -s ($ENV{RECO_SERVER_CONF} // '');
	$node->append_conf('postgresql.conf', "timezone = 'UTC'\nrestart_after_crash = on\nautovacuum = off\n$settings");
	return $node;
}

# Whether the long tests are wanted.
sub is_slow { return ($ENV{RECO_SLOW} // '') eq '1'; }

# A session, and the process that serves it.
sub session
{
	my ($node, @arguments) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose', @arguments ]);
	return ($session, $session->query('SELECT pg_backend_pid()') + 0);
}

# Sends a statement without waiting for its end; answer_of() gives its output and its errors.
sub send_off
{
	my ($session, $sql) = @_;
	$session->{stderr} = ''; # what fails at once has failed before anybody asks for the answer
	$session->query_until(qr/sent off/, "\\echo sent off\n$sql;\n");
}

sub answer_of
{
	my ($session) = @_;
	my $out = $session->query('SELECT');
	my $err = $session->{stderr};
	$session->{stderr} = '';
	$out =~ s/^\s+|\s+$//g;
	return ($out, $err);
}

# Makes a session that runs refreshes, and stops the process of one while it is in a phase, with helpers where those are
# wanted.  It is let go step by step, and looked at while it stands still, so that a busy machine loses no phase; one that has
# gone past it all the same is let go, and another one begun, in shorter steps.  Each begins with what $with{begin} says, and
# is undone.  Returns the session, the process, and the helpers, all stopped.
sub stop_in_phase
{
	my ($node, $phase, $refresh, %with) = @_;
	my ($watcher) = session($node);

	# PostgreSQL waits for a process that says what it does to end its word, and one that is stopped in the middle never does.
	$watcher->query_safe(q{SET statement_timeout = '5s'});
	for my $try (1 .. 40)
	{
		my ($session, $pid) = session($node);
		my $look = qq{SELECT phase, CASE WHEN workers > 0 THEN (SELECT string_agg(pid::text, ' ') FROM pg_stat_activity
			WHERE leader_pid = $pid AND pid <> leader_pid AND backend_type = 'parallel worker') END FROM reco_progress WHERE pid = $pid};
		my $step = 0.02 / $try;
		my $begun = 0;
		my $end = time + 120;
		$session->query_safe($with{begin}) if $with{begin};
		$session->query_safe('BEGIN');
		send_off($session, $refresh);
		while (time < $end)
		{
			my $held = 0;

			# Nor does who waits for a lock inside the server notice a timeout: whoever was stopped while holding one goes on.
			local $SIG{ALRM} = sub { $held = 1; kill CONT => $pid };
			kill STOP => $pid;
			alarm 3;
			my $seen = $watcher->query($look);
			alarm 0;
			next if $held;
			my ($at, $helpers) = $seen =~ /^(\w+)\|([\d ]*)$/;
			my @workers = split / /, $helpers // '';
			$watcher->{stderr} = '';
			if (($at // '') eq $phase && (@workers || !$with{workers}))
			{
				kill STOP => @workers if $with{workers};
				if (!$with{workers} || !grep({ is_gone($_) } @workers))
				{
					$watcher->quit;
					return ($session, $pid, $with{workers} ? @workers : ());
				}
				kill CONT => @workers;
			}
			kill CONT => $pid;
			$begun ||= defined $at;
			last if $begun && $seen eq '';
			sleep $step;
		}
		answer_of($session);
		$session->query('ROLLBACK');
		$session->quit;
	}
	die "no refresh was met in its phase $phase";
}

# Two models of 6,000 users, "shop" by neighbours and "taste" by factors, which have everything that a refresh writes, one more,
# "little", that can do with 1 MB, and two states of their events, which waves.n chooses, so that a model goes to and fro between two versions.  Where test.linger is
# on, reading takes long.
sub create_shop
{
	my ($node) = @_;
	$node->safe_psql('postgres', q{
		CREATE EXTENSION reco;
		CREATE TABLE waves AS SELECT 1 AS n;
		CREATE TABLE visits AS SELECT *, CASE WHEN (i + (hashint8extended(u, i) & 1)) % 4 = 0 THEN 'phone' ELSE 'desk' END AS device FROM (
			SELECT u, floor(2000 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 2))::int AS i, 1 + n % 3 AS w,
				timestamptz '2024-01-01' + (hashint8extended(u, n) & 262143) * interval '1 minute' AS t,
				1 + (n > 40)::int AS wave
			FROM generate_series(1, 6000) u, generate_series(1, 45) n) v;
		CREATE TABLE people AS SELECT u, CASE u % 3 WHEN 0 THEN 'north' WHEN 1 THEN 'south' ELSE 'west' END AS region FROM generate_series(1, 6000) u;
		CREATE TABLE things AS SELECT i, 'kind ' || i % 40 AS kind, 'thing ' || i AS title FROM generate_series(0, 2050) i;
		CREATE FUNCTION linger(visitor int) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
		BEGIN
			IF visitor % 100 = 0 AND current_setting('test.linger', true) = 'on' THEN PERFORM pg_sleep(0.002); END IF;
			RETURN true;
		END $$;
		SELECT reco_create_model('shop',
			'SELECT CASE WHEN public.linger(u) THEN u END AS user_id, CASE WHEN wave <= (SELECT n FROM public.waves) THEN i END AS item_id,
				t AS occurred_at, w AS weight, device FROM public.visits',
			'SELECT i AS item_id, kind, title FROM public.things', 'SELECT u AS user_id, region FROM public.people');
		SELECT reco_configure('shop', similarity => 'ridge', candidates => 60, contexts => '{device}', algorithm => 'neighbors');
		SELECT reco_create_model('taste', 'SELECT * FROM shop.events');
		SELECT reco_configure('taste', algorithm => 'factors', factors => 8, iterations => 3);
		SELECT reco_create_model('little', 'SELECT user_id, item_id, weight, occurred_at FROM shop.events');
		SELECT reco_configure('little', similarity => 'ridge', candidates => 60);
		VACUUM ANALYZE});
}

# All that is stored of a model and does not say when it was learned, and what it answers to baskets, which are the same whatever
# the events.
sub state_of
{
	my ($node, $model) = @_;
	return $node->safe_psql('postgres', qq{
		SELECT count(*), md5(string_agg(l::text, ' ' ORDER BY item_id)) FROM $model.learned_item l;
		SELECT count(*), md5(string_agg(l::text, ' ' ORDER BY l::text)) FROM $model.learned_context l;
		SELECT count(*), md5(string_agg(l::text, ' ' ORDER BY l::text)) FROM $model.learned_group l;
		SELECT count(*), md5(string_agg(l::text, ' ' ORDER BY l::text)) FROM $model.item_factor l;
		SELECT to_jsonb(m) - 'refreshed_at' FROM $model.model m;
		SELECT md5(string_agg(t::text, ' ' ORDER BY i, ordinality)) FROM generate_series(0, 60) i
			CROSS JOIN LATERAL reco_complete(ARRAY[i, i + 7, i * 31]::bigint[], 10, '$model') WITH ORDINALITY t});
}

# The files of the dynamic shared memory that a process has mapped.
sub shared_memory_of
{
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/maps") or return ();
	my %path = map { m{ (/dev/shm/PostgreSQL\.\d+|/\S*/pg_dynshmem/mmap\.\d+)$} ? ($1 => 1) : () } <$file>;
	return sort keys %path;
}

# Whether a process has come to its end; one that nobody has buried has.
sub is_gone
{
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/stat") or return 1;
	return <$file> =~ /^\d+ \(.*\) Z/ ? 1 : 0;
}

# The first process of a server.
sub postmaster_of
{
	my ($node) = @_;
	return (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
}

# The others.
sub children_of
{
	my ($node) = @_;
	my $postmaster = postmaster_of($node);
	my @children;
	for my $stat (glob('/proc/[0-9]*/stat'))
	{
		open(my $file, '<', $stat) or next;
		my ($pid, $parent) = (<$file> // '') =~ /^(\d+) \(.*\) \S (\d+)/ or next;
		push @children, $pid if $parent == $postmaster;
	}
	return @children;
}

# Kills a postmaster, lets processes of it that were stopped go on, and waits for the last one to notice.  Says whether they did.
sub kill_postmaster
{
	my ($node, @stopped) = @_;
	my @children = children_of($node);
	my $postmaster = postmaster_of($node);
	$node->kill9;
	kill CONT => $_ for @stopped;
	for (1 .. 600)
	{
		# The number of a postmaster that nobody has buried yet still counts as one that runs.
		return 1 if !kill(0 => $postmaster) && !grep { !is_gone($_) } @children;
		sleep 0.1;
	}
	return 0;
}

# Does something that makes a server restart all its processes, and waits until it has; says whether it did.  Right after a
# process was killed the first one may not know yet, and answer as if nothing had happened.
sub crash_of
{
	my ($node, $do) = @_;
	my $seen = -s $node->logfile;
	&$do;
	for (1 .. 1800)
	{
		return 1 if substr(slurp_file($node->logfile), $seen) =~ /all server processes terminated; reinitializing.*database system is ready to accept connections/s;
		sleep 0.1;
	}
	return 0;
}

# What a refresh might have left behind, as lines of text: nothing where all is well.
sub leftovers
{
	my ($node) = @_;
	my @left;
	my $data = $node->data_dir;

	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'})
	  or push @left, 'a parallel worker';
	push @left, split /\n/, $node->safe_psql('postgres', q{
		SELECT 'schema ' || nspname FROM pg_namespace
			WHERE nspname !~ '^pg_|^information_schema$|^public$' AND oid NOT IN (SELECT relnamespace FROM pg_class WHERE relname = 'model');
		SELECT 'lock on ' || coalesce(relation::regclass::text, locktype) FROM pg_locks
			WHERE pid IS DISTINCT FROM pg_backend_pid() AND locktype <> 'virtualxid'
				AND pid NOT IN (SELECT pid FROM pg_stat_activity WHERE backend_type ~ '^autovacuum|^walsender|^startup');
		SELECT 'refresh in phase ' || phase FROM reco_progress;
		SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts;
		SELECT 'temporary table ' || relname FROM pg_class WHERE relpersistence = 't'});
	push @left, map { "temporary file $_" } glob("$data/base/pgsql_tmp/*"), glob("$data/pg_tblspc/*/*/pgsql_tmp/*");

	# A checkpoint takes away the files of what was dropped; a replica has it from its primary.
	$node->safe_psql('postgres', 'CHECKPOINT');
	my $database = $node->safe_psql('postgres', q{SELECT oid FROM pg_database WHERE datname = 'postgres'});
	my %known = map { $_ => 1 } split /\n/, $node->safe_psql('postgres',
		q{SELECT pg_relation_filenode(oid) FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL});
	for my $file (glob("$data/base/$database/*"))
	{
		my ($number) = $file =~ m{/(?:t\d+_)?(\d+)(?:_[a-z]+)?(?:\.\d+)?$} or next;
		push @left, "file $file of no table" if !$known{$number};
	}
	return join("\n", @left);
}

# A test: the log of a server has no line of a crash or of an internal error, nor one that matches what else is named, unless it
# matches what the test itself brings about.  Says which lines do, with those around them.
sub log_holds_no_fault
{
	my ($node, $name, %with) = @_;
	my @lines = split /\n/, slurp_file($node->logfile);
	my @bad = grep {
		my $line = $lines[$_];
		grep({ defined && $line =~ $_ } qr/TRAP:|PANIC:|\bXX000\b|terminated by signal/, $with{also}) && !($with{but} && $line =~ $with{but})
	} 0 .. $#lines;
	is(scalar(@bad), 0, $name);
	for my $at (@bad[ 0 .. min(9, $#bad) ])
	{
		diag(join("\n", "line $at of " . $node->logfile, @lines[ max(0, $at - 3) .. min($#lines, $at + 3) ]));
	}
}

# Starts a server by a pg_ctl that does something else first, in bash.
sub start_after
{
	my ($node, $first, %with) = @_;
	my $folder = $node->basedir . '/bin';
	mkdir $folder;
	unlink "$folder/pg_ctl";
	append_to_file("$folder/pg_ctl", qq{#!/bin/bash\n$first\nPATH=\${PATH#*:}\nexec pg_ctl "\$@"\n});
	chmod 0755, "$folder/pg_ctl";
	local $ENV{PATH} = "$folder:$ENV{PATH}";
	return $node->start(%with);
}

# How long a process has run and how long it has waited for a processor, in seconds; nothing where the system does not tell.
sub scheduled
{
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/schedstat") or return;
	my @nanoseconds = split / /, <$file>;
	return map { $_ / 1e9 } @nanoseconds[ 0, 1 ];
}

1;
