# Odd CSV files for script/csv: half of them well formed in some dialect, with known rows, which must come out as they went
# in; the other half damaged by chance, which must be read or refused, without a warning, a row of the wrong width or a wait.
#
#   perl test/fuzz/csv.pl SECONDS [SEED]

use strict;
use warnings;
use FindBin;
use File::Temp;

my ($seconds, $seed) = @ARGV;
srand($seed // 1);
my $csv = "$FindBin::Bin/../../script/csv";
my $folder = File::Temp->newdir;
my $file = "$folder/odd.csv";
my %tried = (whole => 0, damaged => 0, refused => 0);

sub one_of { return $_[ int rand @_ ] }

# A value with what people have in files: blanks, quotes, separators, line breaks, letters of other alphabets.
sub odd_value {
	my @pieces = ('a', 'Z', '7', '-1', '0.5', ' ', 'ä', '日本', '\\', '\\N', "'", '"', ',', ';', "\t", '|', "\n", '""', '#', 'NULL', '=1+1');
	return join '', map { one_of(@pieces) } 1 .. int rand 6;
}

# A row as script/csv must print it: trimmed, escaped for COPY, \N where nothing is left.
sub printed {
	my ($separator, @values) = @_;
	my @out;
	for my $place (0 .. 4) {
		my $value = $values[$place] // '';
		$value =~ s/^\s+|\s+\z//g;
		$value =~ s/^(-?\d+),(\d+)$/$1.$2/ if $place == 3 && $separator eq ';';
		$value =~ s/\\/\\\\/g;
		$value =~ s/\t/\\t/g;
		$value =~ s/\n/\\n/g;
		push @out, $value eq '' ? '\\N' : $value;
	}
	return join("\t", @out) . "\n";
}

# A file in some dialect, and what must come of it.
sub well_formed {
	my $separator = one_of(',', ';', "\t", '|');
	my $end = one_of("\n", "\r\n");
	my $quote_all = rand() < 0.3;
	my $wanted = '';
	my $text = one_of('', "\xef\xbb\xbf") . join($separator, qw(customer_id product_id ordered_at quantity title)) . $end;
	for (1 .. int rand 8) {
		my @values = map { odd_value() } 1 .. 5;
		$wanted .= printed($separator, @values);
		$text .= join($separator, map {
			my $value = $_;
			if ($quote_all || $value eq '' || $value =~ /["\n\Q$separator\E]/) { $value =~ s/"/""/g; $value = qq("$value") }
			$value;
		} @values) . $end;
	}
	return ($text, $wanted);
}

# The same with bytes changed, lost, doubled or put in.
sub damaged {
	my ($text) = well_formed();
	for (1 .. 1 + int rand 5) {
		my $at = int rand length $text;
		my $what = rand;
		if ($what < 0.4) { substr($text, $at, 1) = chr int rand 256 }
		elsif ($what < 0.6) { substr($text, $at, 1 + int rand 9) = '' }
		elsif ($what < 0.8) { substr($text, $at, 0) = one_of('"', "\r", "\0", "\n\n", '""', "\xff", ',,,', "\xef\xbb\xbf") }
		else { $text .= substr($text, $at) }
		last if $text eq '';
	}
	return $text;
}

# Ends with the file that did it beside the message.
sub give_up {
	my ($what, $text, $rest) = @_;
	print "$what\n--- the file:\n$text\n--- ", $rest // '', "\n";
	exit 1;
}

# Runs script/csv; its status, output and words.
sub run_csv {
	my ($text) = @_;
	open my $out, '>:raw', $file or die $!;
	print $out $text;
	close $out;
	my $printed = qx(timeout 20 perl "$csv" "$file" 2>"$folder/words");
	my $status = $? >> 8;
	open my $in, '<', "$folder/words" or die $!;
	local $/;
	return ($status, $printed, scalar(<$in>) // '');
}

my $end = time + $seconds;
while (time < $end) {
	my ($text, $wanted) = well_formed();
	my ($status, $printed, $words) = run_csv($text);
	give_up("a well formed file ended with status $status: $words", $text) if $status != 0 || $words ne '';
	give_up("a well formed file came out otherwise", $text, "wanted:\n$wanted--- printed:\n$printed") if $printed ne $wanted;
	$tried{whole}++;

	$text = damaged();
	($status, $printed, $words) = run_csv($text);
	give_up("status $status: $words", $text) if $status != 0 && $status != 2;
	give_up("it did not say why", $text) if $status == 2 && $words !~ /^demo: /;
	give_up("a warning: $words", $text) if $words =~ / at \S+ line \d+/ || ($status == 0 && $words ne '');
	for my $row (split /\n/, $printed) {
		give_up("a row of another width: $row", $text) if ($row =~ tr/\t//) != 4;
	}
	$tried{damaged}++;
	$tried{refused} += $status == 2;
}
print "$tried{whole} whole files, $tried{damaged} damaged ones, of which $tried{refused} were refused\n";
