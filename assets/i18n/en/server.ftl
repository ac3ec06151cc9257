# Why the built-in server refuses clients, why clients leave, and what happens to recordings (src/server). Clients get
# these texts in English. Keep in step with zh-CN.

denied-no-name = The stream name is empty.
denied-address = This address is not allowed to { $action ->
    [publish] publish
   *[play] play
} streams.
denied-no-key = A { $action ->
    [publish] publish key
   *[play] play key
} or a token is required.
denied-wrong-key = The { $action ->
    [publish] publish key
   *[play] play key
} is wrong.
denied-too-often = Too many wrong { $what ->
    [passwords] passwords
    [tokens] tokens
   *[keys] keys
} from this address: try again in { $seconds } s.
denied-callback = You may not { $action ->
    [publish] publish
   *[play] play
} this stream.
denied-no-callback = The server cannot check access right now. Try again later.
denied-wrong-token = the token is wrong
denied-wrong-password = The user name or the password is wrong.
denied-no-password = A user name and a password are required to publish.
denied-taken = Somebody is already publishing under this name.
denied-full = The server has too many streams.
denied-app-full = The application already has { $most ->
    [one] { $most } stream
   *[other] { $most } streams
}, which is its limit.
denied-too-many-viewers = The server has too many viewers, or too many are waiting.
denied-stream-full = The stream already has { $most ->
    [one] { $most } viewer
   *[other] { $most } viewers
}, which is its limit.
denied-address-full = Too many viewers are watching from this address.
denied-too-many-connections = The server has too many connections, or too many from this address.
token-malformed = The token cannot be read.
token-algorithm = The token's algorithm is not allowed.
token-signature = The token was not signed for this server.
token-no-keys = The server cannot check access right now, because it could not fetch the public key for this token. Try again later.
token-without-end = The token has no expiration time.
token-expired = The token has expired.
token-not-yet = The token is not valid yet.
token-other-server = The token is for another server.
token-other-stream = The token is for another stream.
token-other-action = The token does not allow this action.
token-other-address = The token is for another address.

# Callbacks without an answer.
callback-late = no response after { $time }
callback-paused = requests are paused because earlier requests failed
callback-full = too many requests are waiting

# What is unusual about a publisher's stream.
odd-no-video-config = The video has no parameter sets, so only RTMP and FLV viewers receive it.
    .cure = Set the encoder to send a decoder configuration or parameter sets with each keyframe.
odd-video-config-in-band = The encoder sends parameter sets only within the video. onair has added the configuration.
odd-annex-b = The encoder sends video as Annex B, which RTMP does not allow. onair has converted it.
odd-no-audio-config = The AAC audio has no configuration, so only RTMP and FLV viewers receive it.
    .cure = Set the encoder to send the AAC configuration, or use another encoder.
odd-audio-config-derived = The AAC audio has no configuration. onair has derived it from the audio.
odd-times-moved = The times of a track did not fit the stream. onair has moved the track.

# Why publishers and viewers leave.
left-guest-removed = the studio has ended your place
meeting-url = use the HTTPS address of an onair server, such as https://live.example.com
meeting-full = the server takes no more studios
meeting-no-onair = there is no onair server that lets guests and studios meet
meeting-no-key = neither the keyring nor the key file has the key of the server
    .windows = neither Windows Credential Manager nor the key file has the key of the server
meeting-silent = the server has sent nothing for 15 s
meeting-closed = the server has closed the connection
left-unpublished = unpublished
left-stopped = stopped playing
left-finished = finished
left-published-again = publishing restarted
left-played-again = playback restarted
left-closed = closed by the peer
left-quiet = the client stopped sending requests
left-operator = ended by the operator
left-player = ended by the player
left-key-changed = the play key has changed
left-publisher-gone = the publisher stopped publishing
left-moved = the stream has moved to another server
left-replaced = replaced by a new connection from the same publisher
left-bitrate = The bitrate is above this application's limit of { $kbps } kbit/s.
left-size = The video size is { $size } pixels. The server allows at most { $most } for this application.
left-config-changes = the codec configs changed too often (at most { $count } times at once, and then once per second)
left-configs-too-large = the stream's codec configs are too large
left-too-many-files = the publisher caused too many recorded files (at most one per second)
left-recording-deleted = the recording was deleted
left-recording-unplayable = the recording could not be played
left-too-many-recordings = too many recordings were being watched
left-server-stopped = the server was shut down
left-evicted = disconnected to make room for another client
left-connection-lost = the connection was lost: { $reason }
left-stalled = the client stopped accepting data
left-flooded = the client did not read the data that it requested
left-silent = the client stopped sending data
left-fault = simulated fault: { $fault }
left-handshake = handshake: { $reason }
left-protocol = the client violated the protocol: { $reason }
left-handshake-late = the client did not finish the handshake in time
left-command-late = the client neither published nor played in time
left-impatient = the client sent too much data without waiting for a response
left-asks-too-much = the client requested more data than it read
left-session-over = the session is over
left-relay-ended = the relay has ended
left-relay-lost = the relay has lost the connection to its server
left-relay-unpublished = the publisher on the other server stopped publishing
left-webrtc-moved = the WebRTC port has changed
left-not-connected = the client did not connect
left-disconnected = the connection was lost
left-broken = the connection failed
left-unreadable = the server could not process the client's data
left-too-many-viewers = there were too many viewers
left-other-codec = the stream's codec changed
left-b-frames = the stream has B-frames
left-publisher-b-frames = the video has B-frames, which WebRTC does not support
left-rendition-ended = the server stopped encoding the rendition
left-unexpected = an unexpected error

# Recordings of streams.
recorded-too-many = { $count } files are already being written
recorded-nothing = no recordable data arrived
recorded-no-more-files = the disk has no room for more files, whatever their size
recorded-folder-full = the folder already has { $count } files
recorded-too-often = the publisher started too often: a stream gets at most one new file per second
recorded-too-slow = the disk is too slow
recorded-with-losses = the disk was too slow: { $count } frames or audio packets are missing
recorded-without-video = the server could not create a file when the video returned: { $count } frames are missing
recorded-no-disk = the disk has not responded for { $seconds } s
recorded-old = older than the time limit for recordings
recorded-too-large = the recordings need more space than allowed
recorded-deleted = deleted by the operator
