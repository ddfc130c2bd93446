# net_server.pl PERSONALITY WORK PORT KIDS: Net::Server; PERSONALITY is PreFork or Fork.
use strict;
use warnings;

my ( $personality, $work, $port, $kids );
BEGIN { ( $personality, $work, $port, $kids ) = @ARGV; @ARGV = (); }

package Served;
BEGIN { eval "require Net::Server::$personality" or die $@; our @ISA = ( "Net::Server::$personality" ); }

sub process_request {
  my $self = shift;
  my $client = $self->{server}{client};
  if ( $work eq 'hello' ) { syswrite $client, "hello world\n"; return }
  while ( sysread( $client, my $text, 16384 ) ) { syswrite $client, $text }
}

Served->new(
  host => '127.0.0.1', port => $port, ipv => '4', listen => 4096, log_level => 0, no_client_stdout => 1,
  $personality eq 'PreFork'
    ? ( min_servers => $kids, max_servers => $kids + 1, min_spare_servers => 1, max_spare_servers => $kids, max_requests => 1_000_000_000 )
    : ( max_servers => 1024 ),
)->run;
