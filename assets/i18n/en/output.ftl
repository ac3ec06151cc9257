# Texts that commands print to a terminal.
out-ready = Server ready: { $addresses }
out-ready-play = To watch: { $addresses }
out-ready-own-certificate = Certificate of HTTPS (SHA-256): { $pin }. Browsers warn about it once, because onair has made it.
out-certificate-replaced = New clients now get the new certificate
out-certificate-kept = The new certificate cannot be used, so the server keeps the old one: { $reason }
out-certificate-issued = There is a new certificate for { $domains }
out-certificate-failed = No certificate for { $domains }: { $reason }. Next attempt in { $minutes } min
    .cure = The authority must reach this server at the domain: at port 443 (--https) or port 80 (--http).
out-ready-token = The token for the HTTP API is in { $file }
out-remote = Other programs can control onair at { $address } (obs-websocket)
out-remote-password = Password for obs-websocket: { $password }
out-scene = Scene: { $name }
out-source = { $track ->
    [video] Video
   *[audio] Audio
}: { $name } { $state ->
    [open] is open
    [back] is back
    [stalled] is not sending any data
    [lost] is disconnected
   *[failed] is not working
}
out-video-format = { $size } at { $fps } fps
out-audio-format = { $rate } Hz, { $channels ->
    [1] mono
    [2] stereo
   *[other] { $channels } channels
}
out-with = { $what }: { $more }
out-encoder = { $track ->
    [video] Video encoder
   *[audio] Audio encoder
}: { $name } { $profile }, { $kbps } kbps
out-target = Target { $url }: { $state ->
    [connecting] connecting
    [live] on air
    [reconnecting] reconnecting
    [stopped] stopped
   *[failed] failed
}
out-target-stage = { $what } ({ $stage })
out-target-retry = { $what }; retrying in { $seconds } s
out-target-time-over = { $what }; the time for retries (--retry-for { $seconds } s) is over
out-target-folded = { $times ->
    [one] Target { $url }: last message repeated once more
   *[other] Target { $url }: last message repeated { $times } more times
}
out-guest = Guest { $id } ({ $name }): { $state ->
    [invited] invited
    [lobby] in the lobby
    [on-air] on air
    [away] away
   *[left] left
}
out-monitor = Viewer monitor for { $url }: { $state ->
    [ok] viewers get everything
    [unsure] viewers probably get everything
    [comparing] comparing
    [waiting] waiting for the stream
    [unavailable] not checked
    [unreachable] unreachable
    [no_stream] no stream
    [stalled] stalled
    [different] a different stream
    [black] black video
    [frozen] frozen video
    [silent] silent audio
    [late] late
   *[wrong_size] different video format
}
out-monitor-behind = { $what }, { $seconds } s behind live
out-recording = Recording { $path }: { $state ->
    [writing] writing
    [paused] paused
    [finished] finished
    [deleted] deleted
   *[failed] failed
}
out-rendition = Rendition { $name } of { $stream }: { $state ->
    [started] started
    [ended] ended
   *[refused] refused
}
out-replay = Replay { $path }: { $state ->
    [finished] saved
    [writing] writing
   *[failed] failed
}
out-screenshot = Screenshot { $path }: { $state ->
    [finished] saved
   *[failed] failed
}
out-delay-filling = Delay: the stream starts in { $seconds } s
out-delay-on = Delay: viewers are { $seconds } s behind live
out-delay-draining = Delay: sending the rest of the delayed stream
out-chapter = Chapter at { $seconds } s: { $title }
out-fault = Server: simulating the fault { $fault } for { $peer }
out-publish = Server: { $peer } started publishing { $stream }
out-unpublish = Server: { $peer } stopped publishing { $stream }: { $reason }
out-join = Server: { $peer } started watching { $stream }
out-leave = Server: { $peer } stopped watching { $stream }: { $reason }
out-refused = Server refused { $peer }: { $reason }
out-refused-stream = Server refused { $peer } access to { $stream }: { $reason }
out-callback = Server: callback { $name } for { $stream }: { $host } responded with { $status } in { $ms } ms
out-callback-failed = Server: callback { $name } for { $stream }: { $host } did not respond ({ $reason }, after { $ms } ms)
out-drain = Draining: the server asks clients to connect to { $url }
out-drain-nowhere = Draining: the server asks clients to connect again
out-push = Push relay of { $stream } to { $url }: { $state ->
    [connecting] connecting
    [waiting] waiting
    [live] live
    [reconnecting] reconnecting
   *[stopped] stopped
}
out-pull = Pull relay of { $stream } from { $url }: { $state ->
    [connecting] connecting
    [waiting] waiting
    [live] live
    [reconnecting] reconnecting
   *[stopped] stopped
}
out-health = Health: [{ $level ->
    [good] good
    [info] info
    [warning] warning
   *[error] error
}] { $sentence }
out-notice = [{ $level ->
    [info] info
    [warning] warning
   *[error] error
}] { $text }
out-ended-encoded = { $frames ->
    [one] Ended: { $frames } frame encoded, exit code { $exit }
   *[other] Ended: { $frames } frames encoded, exit code { $exit }
}
out-ended-sent = { $frames ->
    [one] Ended: { $frames } frame sent, exit code { $exit }
   *[other] Ended: { $frames } frames sent, exit code { $exit }
}
out-ended-server = Ended: { $publishers } publishers, { $viewers } viewers
out-serve-checked = The configuration is valid
out-reloaded = Configuration reloaded
out-reloaded-partly = Configuration reloaded. These settings take effect when the server restarts: { $names }
out-not-reloaded = Configuration not reloaded: { $reason }
out-ended-streams = Ended. Streams: { $streams }, frames shown: { $shown }
out-ended-played = Ended: { $shown } frames shown, { $dropped } dropped, { $seconds } s played
out-not-imported = Left out or changed: { $what }
out-scenes = Scenes: { $names }
out-strips = Audio sources: { $names }
out-cameras = Cameras
out-microphones = Microphones
out-speakers = Speakers
out-applications = Applications
out-displays = Displays
out-windows = Windows
out-encoders = Encoders
out-decoders = Decoders
out-no-camera = none found: connect a camera, or use --video test
out-plugins = Audio plugins (CLAP)
out-plugin-none = none found in the folders of CLAP_PATH, ~/.clap, /usr/lib/clap and /usr/local/lib/clap
out-plugin-no-effect = not an audio effect
out-none-found = none found
out-none-plays = no application is playing audio
out-none = none: { $reason }
out-default = default
out-main-display = main
out-minimized = minimized
out-asks = the desktop asks each time
out-dialog-gives = chosen in the desktop's sharing dialog
out-no-single-windows = this desktop shares whole displays only
out-program = program { $name }
out-control-range = { $least } to { $most } in steps of { $step }
out-control-switch = 0 or 1
out-encoder-speed = { $fps } fps at 1280x720
out-unavailable = unavailable: { $reason }
out-none-for = none for { $codecs }: { $reason }
out-ffmpeg = FFmpeg libraries: { $version }
out-ffmpeg-none = FFmpeg libraries: none ({ $reason })
out-hardware = hardware: { $name }
out-hardware-none = hardware: none ({ $reason })
out-probing = Reading…
out-checking = Checking…
out-remux = { $path }: { $how ->
    [whole] already complete
    [in-place] repaired
   *[copied] written
} (duration { $seconds } s, { $packets } packets)
out-left-out = { $what }, without { $tracks }
out-next-port = { $reason }; trying the next port
out-redirected = redirected to { $url }
out-redirected-no-login = redirected to { $url } on another host, so onair does not send the login
out-answers = { $url }: { $secure ->
    [yes] the server responds over TLS
   *[no] the server responds
}. Nothing was published. onair sends the key only when you go live.
