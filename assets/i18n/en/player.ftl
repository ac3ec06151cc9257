# Reasons why a stream or file does not play (src/player, src/decode), with the cures (.cure). Keep in step with zh-CN.

# Files.
play-unreadable = onair cannot read { $path }: { $reason }
    .cure = Check the file name, or enter a URL such as rtmp://server/live/stream.
play-unplayable = onair cannot play { $place }: { $reason }
    .cure = onair plays FLV, MP4, MKV, WebM, MP3, FLAC, Ogg, AAC and WAV files. With the FFmpeg libraries, onair also plays HEVC, AV1, VP9, VP8, AC-3 and more. Convert other files, for example with ffmpeg.
play-not-flv = onair cannot play { $path }: { $reason }
    .cure = Use an FLV, MP4, MKV, WebM, MP3, FLAC, Ogg, AAC or WAV file. Convert other files, for example with ffmpeg.
play-no-clip = onair cannot play { $path }: { $reason }
    .cure = Use a clip with H.264 video, an animated WebP, GIF or PNG, or a folder of images.
play-clip-without-video = it has no video
play-nothing-in = { $place } contains no video or audio
    .cure = Check that the file is complete.
play-empty-file = the file has no video or audio that onair can play
    .cure = Check that the file is complete.
play-cannot-write = onair cannot write { $path }: { $reason }
play-dump-changed = onair stops writing { $path }: the audio changed its format, and a WAV file can have only one format
    .cure = The file contains the audio up to the change. To keep all audio, save the stream (command line: --save).
play-nothing-to-record = the stream is over, and there is nothing left to record
play-interrupted = onair was interrupted before it found any video or audio
play-no-threads = the system cannot start more threads: { $reason }
    .cure = Close other programs and try again.
play-source-unplayable = onair cannot play { $name }: { $reason }
play-source-stopped = { $name } has stopped
play-source-ended = { $name } has ended
play-source-lost = the connection to { $name } was lost

# The contents of a stream.
play-empty-stream = the stream has no video or audio that onair can play
    .cure = Check the stream name, and make sure that the stream is live.
play-no-parameter-sets = the video codec config (SPS and PPS) is missing
    .cure = Ask the broadcaster to restart the broadcast.
play-config-too-long = the codec config is { $bytes } bytes long; onair accepts at most { $kib } KiB
    .cure = Ask the broadcaster to check the encoder.
play-video-not-shown = no video: { $reason }
    .cure = Ask the broadcaster for progressive H.264 video in 8-bit 4:2:0. With the FFmpeg libraries, onair plays more formats. Run “onair devices” to list the decoders.
play-cannot-decode = the stream or file contains { $codec }, which onair cannot decode
    .cure = Ask the broadcaster for H.264 video and AAC audio, or save the stream with “onair play URL --save FILE.flv” and play the saved file with another program. To convert a file, use a program such as ffmpeg.
play-no-decoder = the stream or file contains { $codec }, which onair cannot decode: { $reason }
    .cure = { $cure } You can also ask the broadcaster for H.264 video and AAC audio, or save the stream with “onair play URL --save FILE.flv” and play the saved file with another program. To convert a file, use a program such as ffmpeg.
play-ended = the stream has ended
play-waiting = the stream has ended; onair is waiting for it to return

# Live streams and servers.
play-bad-web-url = this is not a stream URL: { $reason }
    .cure = Use http://server/path/stream.flv, or the name of a file.
play-bad-url = this is not a stream URL: { $reason }
    .cure = Use rtmp://server/application/stream, http://server/path/stream.flv, or the name of a media file.
play-connection-settings = the connection settings are invalid: { $reason }
    .cure = Check the proxy, the local address and the ports in the connection settings.
play-cure-web-port = Check the address and the port, and make sure that the server is running. http:// uses port 80, https:// port 443.
play-nothing-came = no data for { $seconds } s
    .cure = Check the network connection, and make sure that the broadcast is still live.
play-silent = no video or audio within { $seconds } s: the stream may not exist
    .cure = Check the URL, and make sure that the stream is live.
play-asked-to-reconnect = the server asks onair to reconnect
play-asked-to-reconnect-because = the server asks onair to reconnect: { $words }
play-opening-slow = no { $awaited } within { $seconds } s ({ $server })
    .cure = The server or the network is too slow. Try again later, or use another address for the stream.
play-request-slow = the server { $server } took more than { $seconds } s to send a { $awaited }
    .cure = Check the network connection and the server's log.
play-request-stalled = onair requested a { $awaited }, but { $server } sent almost no data for { $seconds } s
    .cure = Check the network connection and the server's log.
play-awaited = { $what ->
    [dns] address
    [tcp] connection
    [tls] secure connection
    [handshake] handshake
    [connect] reply to the connect request
    [play] stream
    [request] response
    [playlist] playlist
    [segment] segment
    [init] stream header
    [key] decryption key
   *[media] video or audio
}
play-server-damaged = the server sends damaged data: { $reason }
    .cure = Check the server, or play the stream in another format.
play-sends-nothing = the server is not sending any data
    .cure = Check the URL, and make sure that the stream is live.
play-sends-page = the server sends a web page, not a stream
    .cure = Use the address of the stream itself, which often ends in .flv or .m3u8. Look for this address in the page source or in the browser's network log.
play-whep-or-dash = onair does not play WHEP or DASH
    .cure = Use the address of the stream that ends in .flv or .m3u8.
play-unknown-type = the server sends { $type }, which onair does not play
    .cure = Check the URL. onair plays FLV, HLS, MPEG-TS, MP4, MKV, WebM, MP3, FLAC, Ogg, AAC and WAV over http and https, and FLV over ws and wss.
play-unknown-data = the server sends data in an unknown format
    .cure = Check the URL. onair plays FLV, HLS, MPEG-TS, MP4, MKV, WebM, MP3, FLAC, Ogg, AAC and WAV over http and https, and FLV over ws and wss.

# Recordings on web servers.
play-file-changed = the file on the server changed during playback
    .cure = Play the file again from the start.
play-needs-range = the next part to play is elsewhere in the file, but the server can send the file only from its beginning
    .cure = Use a server that supports range requests, or move the index to the start of the file, for example with ffmpeg -c copy -movflags +faststart.
play-index-at-end = the index of this MP4 file (moov) is at the end, but the server can send the file only from its beginning
    .cure = Use a server that supports range requests, or move the index to the start of the file, for example with ffmpeg -c copy -movflags +faststart.
play-recording-gone = the recording is no longer on the server: { $cause }
    .cure = Look for the recording at another address.
play-recording-refused = the server refused to send the rest of the recording: { $cause }
    .cure = Play the recording again from the start, or try again later. If the problem continues, contact the server's operator.
play-recording-broken-off = playback of the recording was interrupted, and the server cannot resume at that position
    .cure = Play the recording again from the start.
play-seek-refused = the server refuses to send data from this position
play-seek-from-start = the server can send the file only from its beginning
play-seek-slow = the server did not send data from this position within { $seconds } s
play-seek-over = the seek was interrupted

# Playlists (HLS).
play-playlist-unreadable = onair cannot read the playlist: { $reason }
    .cure = Check the URL. If the URL is correct, contact the broadcaster.
play-playlist-nested = the playlist contains only other playlists
    .cure = Check the URL. If the URL is correct, contact the broadcaster.
play-playlist-slow = the playlist did not arrive in time
play-playlist-too-long = the playlist is too long
play-playlist-stale = the playlist has not changed for { $seconds } s
    .cure = Check that the broadcast is still live.
play-playlist-gaps = the playlist has listed only missing segments for { $seconds } s
    .cure = Try again later. If the problem continues, contact the broadcaster.
play-playlist-bad-url = the playlist has a URL that onair cannot use: { $reason }
    .cure = Check the URL. If the URL is correct, contact the broadcaster.
play-playlist-without-tls = the URL does not use TLS, but the playlist does
play-playlist-websocket = the URL is a WebSocket address
play-audio-slow = no new audio arrived in time
play-segments-empty = the playlist's segments have no video or audio that onair can play
    .cure = Ask the broadcaster for H.264 video and AAC audio.
play-segment-is-page = a segment of the playlist is a web page
    .cure = Check the server. The segments may require a login or a token.
play-segment-unknown = a segment of the playlist is neither MPEG-TS nor MP4
    .cure = Check the server. The segments may require a login or a token.
play-segment-unplayable = onair cannot play a segment of the playlist: { $reason }
    .cure = Ask the broadcaster for H.264 video and AAC audio.
play-segment-encrypted = the stream is encrypted, but its playlist does not specify a key
    .cure = Only the service's own player has the keys. Watch the stream on the service's page.
play-segment-damaged = an encrypted segment is damaged, or the key is wrong
    .cure = Try again. If the problem continues, contact the broadcaster.
play-key-length = the decryption key is { $bytes } bytes long instead of 16
    .cure = The server may require a login. Use the full URL, with the token.
play-protected = the stream is protected (DRM)
    .cure = Only the service's own player has the keys. Watch the stream on the service's page.
play-protected-by = the stream is protected by { $system } (DRM)
    .cure = Only the service's own player has the keys. Watch the stream on the service's page.

# Chat and speakers.
chat-not-websocket = a chat address must begin with ws:// or wss://
chat-bad-address = the chat address is invalid: { $reason }
chat-ended = the server ended the chat
chat-no-channel = nobody answers for the channel “{ $channel }”
    .cure = Check the name of the channel.
chat-silent = the chat does not answer any more
chat-needs-key = YouTube answers only with a key of its API
    .cure = Make a key for the YouTube Data API v3 in the Google Cloud console, and enter it in the settings under *Network*. On the command line, set the variable ONAIR_YOUTUBE_KEY, or ONAIR_YOUTUBE_KEY_FILE to the path of a file that contains the key.
chat-not-live = the video “{ $channel }” has no live chat
    .cure = Check the address of the video. onair asks again until the video is live.
chat-key-file = onair cannot read the key in { $path }: { $reason }
chat-bad-key = the key in { $name } is too long or contains control characters
chat-refused-by = the service refuses: “{ $words }”
speaker-silent = the device is not responding
speaker-unavailable = onair cannot open the device

# Texts that `onair play` prints.
play-playing = Playing.
play-lost = Connection lost: { $cause }. Retrying in { $seconds } s.
play-over = Playback has ended.
play-no-chat = onair cannot join the chat: { $cause }.
play-awaits-data = Waiting for video or audio.
play-no-frame = no video
play-figures = { $size } { $fps } fps · { $kbps } kbps · buffer { $buffer } ms · { $dropped } dropped · { $underruns } underruns
play-latency = latency { $ms } ms
play-no-snapshot = no frame was shown, so there is no screenshot
play-no-commands = onair cannot read commands: { $reason }
