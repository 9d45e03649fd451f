# A refresh whose server is shot under it: a backend, a worker, the postmaster, in every phase and at points of time all
# over a refresh.  Afterwards the old model answers as before, or the new one does, never a mixture; the next refresh
# learns what it would have learned; nothing is left of the one that died.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Faults;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $points = is_slow() ? 60 : 10;

my $node = server('main', "dynamic_shared_memory_type = posix\nmax_parallel_maintenance_workers = 2\nmax_parallel_workers = 4\nmin_parallel_table_scan_size = 0");
$node->start;

create_shop($node);

# Learns from the other wave of events, undisturbed; returns the model.
sub learn
{
	my ($model, $wave) = @_;
	$node->safe_psql('postgres', "UPDATE waves SET n = $wave; SELECT reco_refresh('$model')");
	return state_of($node, $model);
}

# After the second time round every item has its number for good.
my %states;
for my $model ('shop', 'taste')
{
	learn($model, 2);
	$states{$model} = [ undef, learn($model, 1), learn($model, 2) ];
	is(learn($model, 1), $states{$model}[1], "$model: it goes to and fro between two versions");
	isnt($states{$model}[1], $states{$model}[2], "$model: which differ");
}
like($states{shop}[1], qr/^\d{4}\|\w{32}\n[1-9]\d*\|\w{32}\n[1-9]\d*\|\w{32}\n0\|\n/, 'neighbours, contexts and groups are learned');
like($states{taste}[1], qr/^\d{4}\|\w{32}\n0\|\n0\|\n\d{3,4}\|\w{32}\n/, 'and factors');
is(leftovers($node), '', 'nothing lies about');

my %now = (shop => 1, taste => 1);

# What must hold after a crash: one of the versions that are allowed, whole, and then the next refresh as if nothing had been.
sub recovered
{
	my ($name, $model, $allowed, @memory) = @_;
	my $have = state_of($node, $model);
	my ($version) = grep { $have eq $states{$model}[$_] } @$allowed;
	my $next = 3 - $now{$model};
	ok(defined $version, "$name: " . (@$allowed > 1 ? 'the old model or the new one answers' : 'the old model answers')) or diag($have);
	is(join("\n", grep { -e $_ } @memory), '', "$name: no shared memory is left");
	is(leftovers($node), '', "$name: nothing is left of it");
	is(learn($model, $next), $states{$model}[$next], "$name: the next refresh learns what it should");
	$now{$model} = $next;
	return $version;
}


# In each phase, backend, worker and postmaster.

my $refresh = "SELECT events FROM reco_refresh('%s')";
my %with_workers = map { $_ => 1 } ('read', 'encode', 'learn', 'solve');
my ($shot, $shared) = (0, 0);

for my $phase ('read', 'encode', 'learn', 'solve', 'curve', 'write', 'open')
{
	for my $victim ('backend', $with_workers{$phase} ? 'worker' : (), 'postmaster')
	{
		my $model = $phase eq 'write' && $victim eq 'postmaster' || $phase eq 'curve' && $victim eq 'backend' ? 'taste' : 'shop';
		my $name = "$victim killed, $phase";
		my ($session, $pid, @workers);
		$node->safe_psql('postgres', 'UPDATE waves SET n = ' . (3 - $now{$model}));
		$node->safe_psql('postgres', 'CHECKPOINT') if $phase eq 'write';
		if ($phase eq 'open')
		{
			($session, $pid) = session($node);
			$session->query_safe("BEGIN; SELECT reco_refresh('$model')");
		}
		else
		{
			($session, $pid, @workers) = stop_in_phase($node, $phase, sprintf($refresh, $model),
				workers => $phase eq 'read' || $victim eq 'worker', begin => $phase eq 'read' ? 'SET test.linger = on' : undef);
		}
		my @memory = shared_memory_of($pid);
		# Besides what every session maps, a refresh shares memory from reading on.
		$shared += @memory > 2;
		if ($victim eq 'postmaster')
		{
			ok(kill_postmaster($node, @workers, $pid), "$name: the others go by themselves");
			$node->start;
		}
		else
		{
			my ($shot_at, @others) = $victim eq 'worker' ? (@workers, $pid) : ($pid, @workers);
			ok(crash_of($node, sub { kill KILL => $shot_at; kill CONT => @others }), "$name: the server comes back");
		}
		eval { $session->quit };
		recovered($name, $model, [ $now{$model} ], @memory);
		$shot++;
	}
}
cmp_ok($shared, '>=', 8, 'and memory was shared in many of them');
is($shot, 18, "$shot crashes, each in a phase of its own");


# At points of time all over a refresh, which commits by itself: old or new.  How long it takes differs from one to the next, on a
# busy machine by far: where a backend was over when it was shot at in the middle, the same point is aimed at once more, and all
# that follow earlier.

my %came = (old => 0, new => 0);
my ($late, $middle) = (0, 0);
for my $model ('shop', 'taste')
{
	my ($session) = session($node);
	$session->query_safe('SELECT 1');
	my $start = time;
	$session->query_safe("SELECT reco_refresh('$model')");
	my $lasts = time - $start;
	$session->quit;
	for (my ($point, $tries) = (1, 0); $point <= $points / 2;)
	{
		# The last one is just over when it is shot at, or just not.
		my $share = $point / ($points / 2);
		my $victim = $point % 2 ? 'postmaster' : 'backend';
		my $name = sprintf('%s: %s killed after %d %% of a refresh', $model, $victim, 100 * $share);
		my ($session, $pid) = session($node);
		$node->safe_psql('postgres', 'UPDATE waves SET n = ' . (3 - $now{$model}));
		send_off($session, sprintf($refresh, $model));
		sleep $lasts * $share;
		if ($victim eq 'backend')
		{
			ok(crash_of($node, sub { kill KILL => $pid }), "$name: the server comes back");
		}
		else
		{
			ok(kill_postmaster($node), "$name: the others go by themselves");
			$node->start;
		}
		eval { $session->quit };
		my $version = recovered($name, $model, [ $now{$model}, 3 - $now{$model} ]);
		# recovered() has moved on
		my $end = defined $version && $version == $now{$model} ? 'new' : 'old';
		$came{$end}++;
		if ($victim eq 'backend' && $share < 1)
		{
			$middle++ if $end eq 'old';
			if ($end eq 'new' && $tries++ < 8)
			{
				$late++;
				$lasts *= 0.7;
				next;
			}
		}
		($point, $tries) = ($point + 1, 0);
	}
}
note("$came{old} crashes at points of time left the old model, $came{new} the new one; $late times a backend was over before it was shot at");
is($middle, 2 * grep({ $_ % 2 == 0 } 1 .. $points / 2 - 1), 'every backend but those at the end was met in the middle');

# Right after a commit that was answered: the new model, for sure.
{
	my $new = learn('shop', 3 - $now{shop});
	kill_postmaster($node);
	$node->start;
	is(state_of($node, 'shop'), $new, 'the postmaster killed after commit: the new model answers');
	is(leftovers($node), '', 'the postmaster killed after commit: nothing is left');
}

# Killed again while it recovers from the first time, with a refresh in its log.
{
	my $new = state_of($node, 'shop');
	my ($session) = session($node);
	$session->query_safe("BEGIN; SELECT reco_refresh('taste'); SELECT pg_switch_wal()");
	$node->stop('immediate');
	eval { $session->quit };
	$node->start;
	kill_postmaster($node);
	$node->start;
	is(state_of($node, 'shop'), $new, 'killed twice: one model is what it was');
	is(state_of($node, 'taste'), $states{taste}[ $now{taste} ], 'killed twice: the other, too');
	is(leftovers($node), '', 'killed twice: nothing is left');
}

# A worker that starts when its leader is gone finds the memory of the session gone, which is no fault to PostgreSQL, but has no SQLSTATE there.
log_holds_no_fault($node, 'the log holds no fault', but => qr/terminated by signal 9|could not attach to per-session DSM segment/);
$node->stop;
done_testing();
