%% Erlang's distribution: direct TCP, nothing acknowledged; a sender waits when
%% the socket's buffer is full.
-module(tell).
-export([sink/1, source/1]).

sink([Count]) ->
    register(sink, self()),
    io:format(standard_error, "ready~n", []),
    N = list_to_integer(atom_to_list(Count)),
    receive {tweet, _, _} -> ok end,
    Begin = erlang:monotonic_time(microsecond),
    take(N - 1),
    Seconds = (erlang:monotonic_time(microsecond) - Begin) / 1.0e6,
    io:format("{\"count\": ~p, \"seconds\": ~p}~n", [N, Seconds]),
    init:stop().

take(0) -> ok;
take(N) -> receive {tweet, _, _} -> take(N - 1) end.

source([Node, Count]) ->
    pong = net_adm:ping(Node),
    erlang:monitor(process, {sink, Node}),
    %% As in tell.proto.
    send({sink, Node}, binary:copy(<<"x">>, 128),
         list_to_integer(atom_to_list(Count))),
    %% Nothing tells when all has arrived but the end of the other.
    receive {'DOWN', _, process, _, _} -> init:stop() end.

send(_, _, 0) -> ok;
send(To, Text, N) ->
    To ! {tweet, N, Text},
    send(To, Text, N - 1).
