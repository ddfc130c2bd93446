# net_waiter.pl MODEL WORK PORT KIDS: the original, from a checkout that perl's -I names; MODEL is prefork or forking.
use strict;
use warnings;

package Served;
use parent 'Net::Waiter';

my ( $model, $work, $port, $kids ) = @ARGV;

sub on_process {
  my ( $self, $client ) = @_;
  if ( $work eq 'hello' ) { syswrite $client, "hello world\n"; return 1 }
  while ( sysread( $client, my $text, 16384 ) ) { syswrite $client, $text }
  return 1;    # or the kid would end
}

package main;
exit Served->new( PORT => $port, $model eq 'prefork' ? ( PREFORK => $kids, MAXFORK => $kids ) : () )->run;
