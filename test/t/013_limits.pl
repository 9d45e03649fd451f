# A refresh that is stopped or starved: cancelled at points of time all over it, timed out, out of memory, out of disk.
# Each time a clear SQLSTATE, the model as it was, and a session that goes on.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Faults;
use List::Util qw(max);
use POSIX ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $points = is_slow() ? 100 : 6;

my $node = server('main', "max_parallel_maintenance_workers = 0\nmax_parallel_workers = 4\nmin_parallel_table_scan_size = 0\njit = off\nshared_buffers = 16MB\nlog_error_verbosity = verbose");
$node->start;
create_shop($node);
$node->safe_psql('postgres', q{
	SELECT reco_create_model('next', 'SELECT * FROM shop.events');
	SELECT reco_configure('next', similarity => 'next');
	SELECT reco_create_model('auto', 'SELECT user_id, item_id, weight, occurred_at FROM shop.events', 'SELECT * FROM shop.items');
	SELECT reco_create_model('wide', 'SELECT user_id, item_id FROM shop.events');
	SELECT reco_configure('wide', similarity => 'ridge', candidates => 1000)});
$node->safe_psql('postgres', "SELECT reco_refresh('$_')") for ('shop', 'taste', 'next', 'auto', 'little');
$node->safe_psql('postgres', q{UPDATE waves SET n = 2});
my %before = map { $_ => state_of($node, $_) } ('shop', 'taste', 'next', 'auto', 'little');

sub unharmed
{
	my ($name, $model, $server) = @_;
	is(state_of($server // $node, $model), $before{$model}, "$name: the model is as it was");
	is(leftovers($server // $node), '', "$name: nothing lies about");
}


# Cancelled, at points of time all over a refresh: answered within 200 ms of processor time, and of any other time but that
# for which the process waits for a processor, or a session that only sleeps takes to be told the same.  The same holds of
# every process that helps, since the one that leads answers when the last of them is gone.

# The processes that help another one just now, without asking the server.
sub helpers_of
{
	my ($leader) = @_;
	my @helpers;
	for my $name (glob('/proc/[0-9]*/cmdline'))
	{
		open(my $file, '<', $name) or next;
		push @helpers, $1 if (<$file> // '') =~ /parallel worker for PID $leader\b/ && $name =~ m{(\d+)};
	}
	return @helpers;
}

# Looks at processes every other millisecond; what it returns says, when called, for how long the busiest has run since, and
# for how long the first and then the last of the others has waited for a processor.
sub watch
{
	my @pids = @_;
	pipe(my $read, my $write) or die $!;
	pipe(my $stop, my $go) or die $!;
	my %first = map { $_ => [ scheduled($_) ] } @pids;
	my $child = fork() // die $!;
	if (!$child)
	{
		close $_ for ($read, $go);
		my (%last, %gone);
		my $before = time;
		for (my $more = 1; $more;)
		{
			my $ready = '';
			vec($ready, fileno $stop, 1) = 1;
			$more = !select($ready, undef, undef, 0.002);
			my $now = time;
			for my $pid (grep { !$gone{$_} } @pids)
			{
				# Of one that went while nobody looked, all that time counts as waiting.
				if (my @so_far = scheduled($pid)) { $last{$pid} = \@so_far }
				else { $gone{$pid} = $now - $before }
			}
			$before = $now;
		}
		print $write map { sprintf("%d %.6f %.6f %.6f\n", $_, @{ $last{$_} // $first{$_} }, $gone{$_} // 0) } grep { @{ $first{$_} } } @pids;
		close $write;
		POSIX::_exit(0);
	}
	close $_ for ($write, $stop);
	return sub {
		close $go;
		my ($leader, @rest) = map { my ($pid, $ran, $waited, $unseen) = split; [ $ran - $first{$pid}[0], $waited - $first{$pid}[1] + $unseen ] } <$read>;
		waitpid $child, 0;
		return (max(map { $_->[0] } $leader, @rest), $leader->[1] + max(0, map { $_->[1] } @rest));
	};
}

sub cancelled
{
	my ($name, $set, $most, $sql) = @_;
	my $model = $sql ? undef : $name;
	my ($session, $pid) = session($node);
	my ($sleeper, $sleeping) = session($node);
	my (@late, $latest);
	my ($stopped, $helped, $worst) = (0, 0, 0);
	my $shots = $sql ? $points / 2 : $points;
	$sql //= "SELECT reco_refresh('$model')";
	$session->query_safe($set);

	# How long it takes, measured by itself: what is too long is cancelled anyway.
	my $start = time;
	$session->query_safe(q{SET statement_timeout = '6s'});
	send_off($session, "BEGIN; $sql");
	answer_of($session);
	$session->query_safe('ROLLBACK; SET statement_timeout = 0');
	my $lasts = time - $start;
	for (my ($shot, $tries) = (1, 0); $shot <= $shots;)
	{
		# What is over already must not last: trials may keep what they found.
		send_off($session, $model ? $sql : "BEGIN; $sql");
		send_off($sleeper, 'SELECT pg_sleep(100)');
		my $aimed = $lasts * ($shot - 0.5) / $shots;
		sleep $aimed;
		my @helpers = helpers_of($pid);
		my $watch = watch($pid, @helpers);
		my $sent = time;
		kill INT => $pid, $sleeping;
		answer_of($sleeper);
		my $other = time - $sent;
		my ($out, $err) = answer_of($session);
		my $took = time - $sent;
		my ($processor, $waited) = &$watch;
		$session->query('ROLLBACK') if !$model;
		if ($err eq '')
		{
			# It was over already: back to where it was.
			$node->safe_psql('postgres', "UPDATE waves SET n = 1; SELECT reco_refresh('$model'); UPDATE waves SET n = 2") if $model;
			# It had the processor to itself, or not as when it was measured: aimed at once more, and all that follow earlier.
			if ($tries++ < 8) { $lasts *= 0.8 }
			else { ($shot, $tries) = ($shot + 1, 0) }
			next;
		}
		($shot, $tries) = ($shot + 1, 0);
		$stopped++;
		$helped++ if @helpers;
		like($err, qr/ERROR:  57014: .*canceling statement due to user request/, "$name: cancelled, says so") or last;
		my $else = $took - $other - $waited;
		$worst = $processor if $processor > $worst;
		push @late, sprintf('%.0f ms of the processor, %.0f ms in all but waiting, after %.0f ms', 1000 * $processor, 1000 * $else, 1000 * $aimed)
		  if $processor > $most || $else > $most;
	}
	note(sprintf('%s: %d of %d cancelled, %d of them with helpers, the last answer after %.0f ms of the processor', $name, $stopped, $shots, $helped, 1000 * $worst));
	cmp_ok($stopped, '>=', $shots / 2, "$name, $set: most are cancelled in the middle");
	is(join("\n", @late), '', "$name, $set: all within " . 1000 * $most . ' ms');
	is(state_of($node, $model), $before{$model}, "$name, $set: the model is as it was") if $model && $before{$model};
	is(leftovers($node), '', "$name, $set: nothing lies about");
	$_->quit for ($session, $sleeper);
	return $helped;
}

SKIP:
{
	skip 'the system does not tell how long processes wait', 1 unless defined scheduled($$);
	cancelled($_, q{SET maintenance_work_mem = '256MB'}, 0.2) for ('shop', 'taste', 'next', 'auto', 'wide');
	cancelled('little', q{SET maintenance_work_mem = '1MB'; SET client_min_messages = error}, 0.2);
	my $helped = 0;
	$helped += cancelled($_, q{SET maintenance_work_mem = '256MB'; SET max_parallel_maintenance_workers = 2}, 0.2) for ('shop', 'taste', 'next', 'auto', 'wide');
	cmp_ok($helped, '>=', $points, "$helped of them with helpers");

	# What else takes long.
	my %long = (
		evaluation => q{SELECT * FROM reco_evaluate('shop', 10)},
		trials => q{SELECT * FROM reco_tune('shop', '10 seconds')},
		lists => q{SELECT count(*) FROM reco_top_n_all(50, 'shop')},
		neighbors => q{SELECT count(*) FROM (SELECT reco_matrix(u, i, 1) AS m FROM visits) a, reco_neighbors(m, 100)},
		reasons => q{SELECT count(*) FROM reco_explain_by('SELECT n % 97 AS a, n % 89 / 7.0 AS b, n % 3 = 0 AS t FROM generate_series(1, 1000000) n', 't')});
	cancelled($_, q{SET maintenance_work_mem = '256MB'}, 0.2, $long{$_}) for sort keys %long;
	is(state_of($node, 'shop'), $before{shop}, 'trials: the model is as it was');
}


# Limits of time.

# A refresh that must fail with a SQLSTATE; the session that ran it goes on unless it is ended.
sub fails
{
	my ($name, $model, $set, $state, $message, %with) = @_;
	my $server = $with{server} // $node;
	my ($session) = session($server);
	$session->query_safe($set);
	send_off($session, $with{sql} // "SELECT reco_refresh('$model')");
	my ($out, $err) = answer_of($session);
	like($err, qr/ERROR:  $state: .*$message/, "$name: says so");
	$with{held} ? is(state_of($server, $model), $before{$model}, "$name: the model is as it was") : unharmed($name, $model, $server);
	if ($with{then})
	{
		$session->query_safe("$with{then}; BEGIN");
		is($session->query("SELECT users FROM reco_refresh('$model')"), 6000, "$name: the same session refreshes");
		$session->query('ROLLBACK');
	}
	$session->quit;
}

fails('statement_timeout', 'shop', q{SET statement_timeout = '300ms'}, '57014', 'canceling statement due to statement timeout', then => 'RESET statement_timeout');
{
	my ($blocker) = session($node);
	$blocker->query_safe('BEGIN; ALTER TABLE visits ADD COLUMN note text');
	fails('lock_timeout, source', 'little', q{SET lock_timeout = '100ms'}, '55P03', 'canceling statement due to lock timeout', held => 1);
	$blocker->query_safe('ROLLBACK; BEGIN; SELECT FROM shop.learned_item WHERE item_id = 77 FOR UPDATE');
	fails('lock_timeout, what was learned', 'shop', q{SET lock_timeout = '100ms'}, '55P03', 'canceling statement due to lock timeout', held => 1);
	$blocker->query_safe('ROLLBACK');
	$blocker->quit;
	is(leftovers($node), '', 'lock_timeout: nothing lies about');
}

# The server ends the session, with what it learned.
sub ended
{
	my ($name, $set, $state, $message) = @_;
	my ($session, $pid) = session($node);
	$session->query_safe($set);
	$session->query_safe(q{BEGIN; SELECT users FROM reco_refresh('little')});
	ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), "$name: the session is ended");
	like(slurp_file($node->logfile), qr/\[$pid\].*FATAL:  $state: $message/, "$name: says so");
	eval { $session->quit };
	unharmed($name, 'little');
}
ended('idle in transaction', q{SET idle_in_transaction_session_timeout = '200ms'}, '25P03', 'terminating connection due to idle-in-transaction timeout');
ended('transaction_timeout', q{SET transaction_timeout = '30s'; SET idle_in_transaction_session_timeout = '200ms'}, '25P03', 'terminating connection due to idle-in-transaction timeout')
  if $node->safe_psql('postgres', q{SELECT count(*) FROM pg_settings WHERE name = 'transaction_timeout'});

# Memory that the system does not give: a limit on the address space of the process, from so little that reading fails to
# enough for everything.

SKIP:
{
	skip 'no prlimit', 1 if system("prlimit --as >/dev/null 2>&1") != 0;
	my $most = 0;
	for my $model ('shop', 'taste', 'auto')
	{
		my ($refused, $enough) = (0, 0);
		for my $kilobytes (is_slow() ? (map { 500 * $_ } 1 .. 120) : (1000, 2000, 4000, 8000, 12_000, 16_000, 24_000, 32_000, 48_000), 200_000)
		{
			my ($session, $pid) = session($node);
			my $name = "$model, $kilobytes kB of memory";
			$session->query_safe(q{SET maintenance_work_mem = '1GB'; SELECT count(*) FROM shop.events WHERE user_id = 1; SELECT * FROM reco_top_n(1, 1, 'shop')});
			my ($size) = slurp_file("/proc/$pid/status") =~ /^VmSize:\s+(\d+) kB/m;
			$most = $size if $size > $most;
			system('prlimit', '--pid', $pid, '--as=' . 1024 * ($size + $kilobytes)) == 0 or die;
			send_off($session, "BEGIN; SELECT users FROM reco_refresh('$model')");
			my ($out, $err) = answer_of($session);
			if ($err eq '')
			{
				$enough++;
				is($out, 6000, "$name: enough");
			}
			else
			{
				$refused++;
				like($err, qr/^\S*\s*ERROR:  53200: .*(out of memory|[cC]annot allocate memory)/, "$name: says so");
				like($err, qr/ERROR:  53200/, "$name: with that state");
			}
			$session->query('ROLLBACK');
			is($session->query('SELECT 6 * 7'), 42, "$name: the session goes on");
			$session->quit;
		}
		cmp_ok($refused, '>=', 3, "$model: $refused limits were met");
		cmp_ok($enough, '>=', 1, "$model: $enough were not");
		unharmed("$model, little memory", $model);
	}

	# All processes of the server, helpers as well; whoever makes do with little still can.
	$node->stop;
	start_after($node, 'ulimit -v ' . ($most + 12_000));
	fails('little memory for all', 'shop', q{SET maintenance_work_mem = '1GB'; SET max_parallel_maintenance_workers = 2}, '53200', '(out of memory|[cC]annot allocate memory)');
	is($node->safe_psql('postgres', q{SET client_min_messages = error; SET maintenance_work_mem = '1MB'; BEGIN; SELECT users FROM reco_refresh('little'); ROLLBACK}), 6000,
		'little memory for all: 1 MB is enough for some');
}


# A disk that is full: a small file system for temporary files, then for what is learned.

SKIP:
{
	my $unshare = 'unshare -Um --map-current-user --keep-caps';
	skip 'no file system can be mounted here', 1 if system("$unshare mount -t tmpfs tmpfs / >/dev/null 2>&1") != 0;
	my $full = server('full', "max_parallel_maintenance_workers = 0\njit = off");
	my $place = $full->basedir . '/small';
	mkdir $place;
	start_after($full, qq{[ "\$IN" ] || IN=1 exec $unshare "\$0" "\$@"\nmount -t tmpfs -o size=24m,mode=700 tmpfs '$place' || exit});
	create_shop($full);
	$full->safe_psql('postgres', "SELECT reco_refresh('$_')") for ('shop', 'taste', 'little');
	$full->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$place'");
	$full->safe_psql('postgres', q{UPDATE waves SET n = 2});
	$before{$_} = state_of($full, $_) for ('shop', 'taste', 'little');

	# Leaves so many kilobytes of it free, by a file that only the server can see.
	my $leave = sub {
		my ($kilobytes) = @_;
		$full->safe_psql('postgres', qq{COPY (SELECT) TO PROGRAM 'rm -f "$place/ballast"; head -c \$((\$(df --output=avail -k "$place" | tail -n 1) * 1024 - $kilobytes * 1024)) /dev/zero >"$place/ballast"'});
	};

	for my $kilobytes (64, 512, 2048, 4096)
	{
		&$leave($kilobytes);
		fails("$kilobytes kB for temporary files", 'little', q{SET maintenance_work_mem = '1MB'; SET temp_tablespaces = small; SET client_min_messages = error},
			'53100', 'No space left on device', server => $full, then => 'RESET temp_tablespaces');
	}
	&$leave(0);
	for my $model ('shop', 'taste')
	{
		$full->safe_psql('postgres', qq{COPY (SELECT) TO PROGRAM 'rm -f "$place/ballast"'});
		# Where a page keeps no room for what replaces its rows, a refresh needs more of the disk.
		$full->safe_psql('postgres', "ALTER TABLE $model.$_ SET TABLESPACE small; ALTER TABLE $model.$_ SET (fillfactor = 100); VACUUM FULL $model.$_") for ('learned_item', 'item_factor');
		for my $kilobytes (0, 200, 600)
		{
			&$leave($kilobytes);
			fails("$kilobytes kB for what $model learns", $model, 'SELECT', '53100', 'could not extend file.*No space left on device', server => $full);
		}
		$full->safe_psql('postgres', qq{COPY (SELECT) TO PROGRAM 'rm -f "$place/ballast"'});
		is($full->safe_psql('postgres', "SELECT users FROM reco_refresh('$model')"), 6000, "$model: with room again it learns");
		isnt(state_of($full, $model), $before{$model}, "$model: something else");
	}
	log_holds_no_fault($full, 'a full disk: the log holds no fault');
	$full->stop;
}

# A disk of the log that is full: the server ends by itself, as it must, and comes back once there is room, with the model as
# it was.

SKIP:
{
	my @alone = ('unshare', '-Um', '--map-current-user', '--keep-caps');
	skip 'no file system can be mounted here', 1 if system("@alone mount -t tmpfs tmpfs / >/dev/null 2>&1") != 0;
	my $full = server('log', "max_parallel_maintenance_workers = 0\njit = off\nmin_wal_size = 2MB\nmax_wal_size = 8MB\nwal_recycle = off\nwal_init_zero = on", extra => [ '--wal-segsize=1' ]);
	my ($data, $place) = ($full->data_dir, $full->basedir . '/small');
	mkdir $place;

	# Somebody else holds the file system, so that it outlives the server.
	my ($said, $err) = ('', '');
	my $holder = IPC::Run::start([ @alone, 'bash', '-c', qq{mount -t tmpfs -o size=48m,mode=700 tmpfs '$place' && cp -a '$data/pg_wal' '$place/' && mount --bind '$place/pg_wal' '$data/pg_wal' && echo \$\$ && exec sleep 3600} ],
		'</dev/null', '>', \$said, '2>', \$err);
	$holder->pump until $said =~ /(\d+)\n/ || !$holder->pumpable;
	my ($pid) = $said =~ /(\d+)\n/ or die "nothing holds the file system: $err";
	my $inside = "nsenter --preserve-credentials -U -m -t $pid";
	my $begin = sub { start_after($full, qq{[ "\$IN" ] || IN=1 exec $inside "\$0" "\$@"}, @_) };
	my $leave = sub {
		my ($kilobytes) = @_;
		system(qq{$inside bash -c 'rm -f "$place/ballast"; [ $kilobytes = all ] || head -c \$((\$(df --output=avail -k "$place" | tail -n 1) * 1024 - $kilobytes * 1024)) /dev/zero >"$place/ballast"'}) == 0 or die;
	};
	&$begin;
	create_shop($full);
	my %old;
	for my $model ('shop', 'taste')
	{
		$full->safe_psql('postgres', "UPDATE waves SET n = 1; SELECT reco_refresh('$model'); UPDATE waves SET n = 2");
		$old{$model} = state_of($full, $model);
	}
	my $ended = 0;
	for my $model ('shop', 'taste')
	{
		for my $kilobytes (0, 1024, 2048)
		{
			my $name = "$kilobytes kB for the log, $model";
			$full->safe_psql('postgres', 'CHECKPOINT');
			&$leave($kilobytes);
			my ($status, $out, $err) = $full->psql('postgres', "SELECT users FROM reco_refresh('$model')");
			like($err, qr/server closed the connection unexpectedly|terminating connection|No space left on device/, "$name: the session ends");
			&$leave('all');
			$ended++ if $status == 2;
			# The server may have come back by itself, or not.
			sleep 0.2 while $full->psql('postgres', 'SELECT 1') != 0 && -e "$data/postmaster.pid" && kill(0 => (split /\n/, slurp_file("$data/postmaster.pid"))[0]);
			if ($full->psql('postgres', 'SELECT 1') != 0)
			{
				$full->stop('immediate', fail_ok => 1);
				&$begin;
			}
			is(state_of($full, $model), $old{$model}, "$name: the model is as it was");
			is(leftovers($full), '', "$name: nothing lies about");
		}
		is($full->safe_psql('postgres', "SELECT users FROM reco_refresh('$model')"), 6000, "$model: with room again it learns");
		isnt(state_of($full, $model), $old{$model}, "$model: something else");
	}
	cmp_ok($ended, '>=', 4, "$ended times the server ended");
	like(slurp_file($full->logfile), qr/PANIC:  could not write to file "pg_wal\/.*": No space left on device/, 'and said why');
	log_holds_no_fault($full, 'a full disk of the log: it holds no other fault', but => qr/PANIC:  could not write to file "pg_wal|terminated by signal 6/);
	$full->stop;
	$holder->signal('KILL');
	$holder->finish;
}


log_holds_no_fault($node, 'the log holds no fault');
$node->stop;
done_testing();
