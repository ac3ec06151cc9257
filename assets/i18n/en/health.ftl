# The health sentence: the state of the studio, with the cause, the next step, or the cure (.cure). Keep in step
# with zh-CN.

# What the studio is doing.
activity-ready = Ready
activity-off-air = Off air
activity-not-ready = Not ready
activity-connecting = Connecting
activity-on-air = On air
activity-reconnecting = Reconnecting
activity-recording = Recording
activity-recording-paused = Paused
activity-stopping = Stopping

# Names.
health-built-in = Built-in server
health-unnamed-target = the new target
health-the-server = the server

# All is well.
health-good = All good.
health-ready = Ready to go live.
health-connecting = Connecting to the server.
health-keys-pending = Waiting for the keyring.
    .windows = Waiting for Windows Credential Manager.
health-stopping = Ending the broadcast.
health-recording = Recording, not on air.
health-recording-paused = The recording is paused.
health-file-opening = Opening { $name }.
health-file-on-air = You are broadcasting the file { $name }.
health-file-instead = The file replaces your scenes
health-target = { $name }
health-behind = Viewers are { $time } behind live
health-watching = { $count ->
    [one] { $count } watching
   *[other] { $count } watching
}
health-nobody-watches = no viewers on the built-in server
health-smaller = lower quality for { $name }
health-partly-muted = an audio source is muted
health-delay = Viewers are { $time } behind live
health-delay-begins = The stream starts in { $time }
health-delay-ending = Ending: { $time } left to send

# The targets.
health-no-target = No target is turned on.
    .cure = Turn on a target in the Broadcast panel.
health-no-server = { $name } has no server address.
    .cure = Enter the address that the service gives you.
health-bad-address = { $name } has no valid server address.
    .cure = Enter the address that the service gives you.
health-no-app = The address of { $name } has no application.
    .cure = Complete the address, for example rtmp://server/app. Ask the service or the server's operator for the full address.
health-no-key = { $name } has no stream key.
    .cure = Enter the key that the service or the server's operator gives you.
health-bad-key = { $name }: { $cause }.
    .cure = Copy the key again from the service's dashboard, without spaces.
health-partly = On air, but not on { $name }.
health-partly-refused = On air, but { $name } refuses the stream. Is the stream key correct?
health-refused = Not on air: { $name } refuses the stream. Is the stream key correct?
health-partly-ended = On air, but { $name } ended the stream.
health-ended = Not on air: { $name } ended the stream.
health-partly-login = On air, but { $name } refuses the login. Are the user name and password correct?
health-login = Not on air: { $name } refuses the login. Are the user name and password correct?
health-partly-app = On air, but { $name } refuses the connection. Is the application in the address correct?
health-app-refused = Not on air: { $name } refuses the connection. Is the application in the address correct?
health-partly-says = On air, but { $name } refuses the stream and says: { $words }
health-says = Not on air: { $name } refuses the stream and says: { $words }
health-no-answer = Not on air yet: { $name } does not answer.
health-not-accepted = Not on air yet: { $name } does not accept the stream.
health-closes = On air, but { $name } closed the connection { $times } times, each after { $seconds } s. The stream key may be limited or expired.
health-not-reached = Not on air yet: onair cannot connect to { $name }.
health-lost = Not on air: the connection to { $name } was lost.
health-stalled = On air, but no data is reaching { $name }.
health-next-try = Attempt { $number } in { $seconds } s
health-trying-now = trying now
health-check-host = check the spelling of the server address
health-check-port = check the port, and that the server is running
health-recording-goes-on = Recording continues
health-others-too = { $count ->
    [one] one more target is not connected
   *[other] { $count } more targets are not connected
}
health-viewers = On air. { $name }: { $what }
viewers-different = Viewers get a different stream.
viewers-unreachable = The viewer monitor cannot reach the stream.
viewers-no-stream = Viewers get nothing.
viewers-stalled = The stream is stalling for viewers.
viewers-black = Viewers see black video.
viewers-frozen = Viewers see a frozen frame.
viewers-silent = Viewers hear nothing.
viewers-late = Viewers are far behind live.
health-dropping = The connection to { $name } is too slow: onair is dropping frames.
    .cure = Choose a lower bitrate, and check what else is using the connection.
health-late = This computer is too busy to send everything to { $name } in time: onair is dropping frames.
health-queue = The connection is slow: the send queue is { $time } long.
    .cure = If this continues, choose a lower bitrate.

# The recording.
health-recording-ended = On air, but the recording has ended.
health-recording-not-started = On air, but nothing is being recorded.

# What viewers see and hear.
health-no-video = No video yet.
    .cure = Add a source, or start with the test pattern.
health-scene-empty = The scene { $scene } has no visible source.
    .cure = Add a source, or show a hidden source.
health-audio-only = This broadcast has audio only.
health-recording-audio-only = This recording has audio only.
health-opening = Opening the sources.
health-opening-source = Opening { $name }.
health-source-gone = { $name } is not sending any video.
    .cure = onair shows { $name } again as soon as it works. You can also choose another source.
health-viewers-see-fallback = Until the source is back, viewers see the fallback or a placeholder
health-viewers-hear-fallback = Until the source is back, viewers hear the fallback or silence
health-too-slow = This computer is too slow: only { $fps } of { $wanted } fps.
    .cure = Close other programs, or hide sources. Next time, choose a lower resolution or frame rate.
health-slow-drawing = Drawing a frame takes { $time }
health-slow-encoding = Encoding a frame takes { $time }
health-fewer-filters = turn off video filters, or close other programs
health-fewer-sources = hide sources, or close other programs
health-smaller-next-time = close other programs, or choose a lower resolution next time
health-audio-gone = { $name } is not sending any audio.
    .cure = Check this source, or choose another audio source.
health-muted = The audio is muted.
    .cure = The program is silent. Unmute the audio in the audio mixer.
health-no-microphone = No audio: no microphone is chosen.
    .cure = Choose an audio source in the audio mixer, or choose Silence.
health-silent = No audio: the program is silent.
    .cure = Check the microphone and the faders.
health-silent-media = No audio: the program is silent.
    .cure = The file or stream is playing, but contains only silence now. Check the faders, or choose another audio source.
