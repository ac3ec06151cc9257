# Problems in settings files and scene collections (src/studio/settings). Keep in step with zh-CN.

# Files that are not TOML or JSON.
settings-unused = onair ignores all settings: { $reason }
settings-unreadable = onair cannot read the settings in { $path }: { $reason }
settings-newer = A newer version of onair wrote these settings (version { $version }), so onair ignores the ones that it does not know, and saves a copy of the file before changing it
settings-ignored-at = onair ignores the setting '{ $path }' on line { $line }, column { $column }: { $reason }
settings-ignored = onair ignores the setting '{ $path }': { $reason }
syntax-at = line { $line }, column { $column }: { $what } ({ $words })
syntax-no-text = it must be a UTF-8 text file
syntax-backslash = this backslash is invalid; in a path, use two backslashes
syntax-quotes = this is not a valid value; put text in quotation marks
syntax-comma-extra = there is an extra comma
syntax-no-value = a value is missing
syntax-equals-extra = there is an extra equals sign
syntax-control = an invisible character is not allowed here
syntax-number = this is not a number, date or time
syntax-no-toml = this is not valid TOML
syntax-no-json = this is not valid JSON
syntax-cut-off = the file ends too early: a bracket, a quotation mark or a value is missing

# Values.
value-unknown-name = onair has no such setting
value-unknown-name-like = onair has no such setting; did you mean '{ $other }'?
value-no-text = it must be text
value-no-flag = it must be true or false
value-no-list = it must be a list
value-no-number = it must be a number
value-no-whole-number = it must be a whole number
value-no-table = it must be a table
value-unknown = onair does not know this value
value-record-quality = it must be crf=N with a number from 0 to 51, or a bitrate from 8k to 200M
value-rendition = it must be WIDTHxHEIGHT or WIDTHxHEIGHT@BITRATE, with a bitrate from 8k to 200M, such as 640x360@800k
renditions-full = there are at most { $most } different further renditions
value-none-of = it must be one of { $known }
value-not-from = it must be a number from { $low } to { $high }
value-not-whole-from = it must be a whole number from { $low } to { $high }
value-not-from-unit = it must be a number from { $low } to { $high } { $unit }
value-not-whole-from-unit = it must be a whole number from { $low } to { $high } { $unit }
value-too-many-bad = it contains too many invalid values
value-in = '{ $path }': { $reason }
value-tracks = it must be a list of up to six names
value-talk-key = this key does not work for push-to-talk
value-projector = it must be program, preview, multiview, or source:NUMBER
value-pin = use host:port, a space, and the certificate's SHA-256 hash
value-sample-rate = AAC does not support a sample rate of { $rate } Hz
address-with-login = the address must not contain a user name or password, because onair sends it to every client

# Settings of several objects.
settings-the-scenes = the scenes
settings-the-settings = the settings
settings-more-things = more invalid values in { $what }: { $count }
settings-called-twice = the name '{ $name }' appears twice; the second is now '{ $other }'
settings-no-current = the start scene '{ $name }' does not exist; onair starts with '{ $other }'
settings-shows-itself = the scene '{ $name }' contains itself
settings-items-beyond = there are more than { $most } items, so onair leaves out { $count }
settings-shows-neither = an item shows neither a source nor a scene
settings-source-gone = an item shows the source '{ $name }', which does not exist
settings-scene-gone = an item shows the scene '{ $name }', which does not exist
settings-too-deep = onair leaves out groups that are nested more than { $most } levels deep
settings-crop = a crop must be four fractions of at least 0 and less than 1: [left, top, right, bottom]
settings-transition = there is no transition '{ $word }'
settings-item-transition = there is no item transition '{ $word }'; choose fade, slide-left, slide-right, slide-top or slide-bottom and a number of milliseconds
settings-file-name = there is no placeholder '{ $name }' in file names; choose from { $known }
settings-matte = '{ $word }' is not a track matte; choose alpha, right, below, dark or a color, such as #00FF00
settings-shows-nothing = the source '{ $name }' shows nothing: { $why }
settings-no-path = the path is empty
settings-of-filter = the setting '{ $name }' of the filter '{ $kind }' is invalid: { $why }
settings-strips-beyond = the mixer holds at most { $most } audio sources, so onair leaves out the rest
settings-strip-left-out = { $why }; onair leaves out this audio source
settings-the-rest = the maximum is { $most }, so onair ignores the rest
settings-no-such-filter = there is no filter '{ $kind }'
settings-no-such-strip = there is no audio source { $number }
settings-no-such-value = the filter { $kind } has no such setting
settings-no-camera = a camera name is too long or contains invalid characters
settings-no-camera-control = '{ $name }' is not a camera control
settings-rule-too-long = an event or a command is longer than { $most } bytes, so onair leaves out the rule
settings-service-twice = the service '{ $name }' appears twice
settings-service = service { $number }: { $reason }

# Scene files that cannot be imported.
import-too-large = the file is too large
import-no-collection = the file contains no scene collection
import-too-big-a-number = a number in the file is too large

# Parts that an import omits or changes.
import-and-more = and { $count } more
import-newer = parts that only a newer version of onair supports
import-hotkeys = the hotkeys
import-scripts = the scripts
import-scenes-beyond = scenes after the first { $most }
import-items-beyond = scene items after the first { $most }
import-sources-beyond = sources after the first { $most }
import-audio-beyond = audio sources after the first { $most }
import-transition-stays = the default transition (onair keeps your current one)
import-main-filters-stay = the filters of the main source (onair keeps your current ones)
import-main-fallback-stays = the fallback of the main source (onair keeps your current one)
import-no-room-for-source = the source '{ $name }' (limit of { $most } sources reached)
import-no-room-for-scene = the scene '{ $name }' (limit of { $most } scenes reached)
import-no-room-for-items = { $count } more items in the scene '{ $scene }' (limit of { $most } items reached)
import-no-room-for-audio = the audio source { $called } (limit of { $most } audio sources reached)
import-shows-what-did-not-come = the item for '{ $name }' in the scene '{ $scene }'
import-side-chain-gone = a compressor filter on { $called } (its sidechain source was not imported)
import-circle = items in '{ $name }' that show '{ $name }' itself
import-item-of-nothing = an item in '{ $scene }' without a source
import-item-of = the item '{ $name }' in '{ $scene }' (its source does not exist)
import-size-unknown = the size of '{ $name }' (it is unknown, so onair uses { $size })
import-cut-off-group = the crop of '{ $name }'
import-blending-of = the blending method of '{ $name }' (SRGB Off)
import-scaling-of = the scale filtering of '{ $name }'
import-appears-by = the show transition of '{ $name }' (onair fades it in)
import-goes-by = the hide transition of '{ $name }' (onair fades it out)
import-too-deep = the group '{ $name }' (it is nested too deeply)
import-other-canvas = '{ $name }' (it belongs to another canvas)
import-no-scene-shows = '{ $name }' (no scene shows it)
import-not-a-source = '{ $name }' ({ $why })
import-a-window = add this window capture again
import-of-source = '{ $name }': { $what }
import-first-camera = the device (onair shows the first camera)
import-first-screen = display { $number } (onair shows the first display)
import-another-speed = the playback speed
import-page-audio = the page's own mixer strip
import-follows-no-file = playlist entries: { $count } (only files can follow a file, and nothing can follow a stream)
import-list-beyond = playlist entries after the first { $most }
import-list-shuffled = the playlist's shuffled order
import-slides-beyond = slides after the first { $most }
import-slides-by = the slide transition '{ $kind }' (onair fades between slides)
import-slides-by-key = changing slides with a hotkey
import-nothing-after-slides = hiding the source after the last slide
import-lines = underline and strikeout
import-second-color = the second color
import-last-lines = showing only the last lines of the file
import-gradient = the gradient
import-downwards = vertical text
import-capitals = the text transform
import-cut-of-screen = the crop in pixels (onair converted it to percentages of { $size })
import-transparency = transparency (for this type of file, onair supports it only in stingers)
import-filters-of = filters of '{ $name }' ({ $kinds })
import-filters-of-and-more = filters of '{ $name }' ({ $kinds }, and { $count } more)
import-last-filter = the last filter (there are too many filters)
import-of-filter = in the filter { $filter }, { $what }
import-bounded = the { $number ->
    [left] left crop
    [top] top crop
    [right] right crop
    [bottom] bottom crop
    [gain] gain
    [brightness] brightness
    [contrast] contrast
    [gamma] gamma
    [saturation] saturation
    [hue_degrees] hue
    [opacity] opacity
    [similarity] similarity
    [smoothness] smoothness
    [spill] spill removal
    [protect] muted color protection
    [low] minimum luma
    [low_smooth] minimum luma smoothness
    [high] maximum luma
    [high_smooth] maximum luma smoothness
    [width] width
    [height] height
    [amount] amount
    [sigma] radius
    [spatial] noise reduction within a frame
    [temporal] noise reduction between frames
    [smooth] skin smoothing
    [whiten] skin lightening
    [margin] margin
    [delay] delay
    [db] gain in dB
    [hz] frequency in Hz
    [open_dbfs] open threshold in dBFS
    [close_dbfs] close threshold in dBFS
    [attack_ms] attack time in ms
    [hold_ms] hold time in ms
    [release_ms] release time in ms
    [threshold_dbfs] threshold in dBFS
    [ratio] ratio
    [gain_db] output gain in dB
    [low_db] low-band gain in dB
    [middle_db] middle-band gain in dB
    [high_db] high-band gain in dB
    [target_lufs] target loudness in LUFS
    [most_db] maximum gain in dB
   *[other] { $number }
    } (changed from { $was } to { $is })
import-discarded = the deinterlacing mode (changed from 'discard' to 'linear')
import-retro = the deinterlacing mode (changed from 'retro' to 'linear')
import-doubled = the doubled frame rate from deinterlacing
import-deinterlacing = the deinterlacing (mode { $kind })
import-shape = the image's aspect ratio (onair stretches the image to fill the frame)
import-undistorted = the option to undistort the center
import-any-color = the color
import-color = the color ({ $color })
import-multiplied = the Color Multiply setting ({ $color })
import-added = the Color Add setting ({ $color })
import-of-audio = the audio source '{ $name }': { $what }
import-default-device = the device of '{ $name }' (onair uses the system's default device)
import-audio-hidden = the audio source '{ $name }' (no scene in OBS shows it, so onair mutes it)
import-audio-of-scenes = the audio source '{ $name }' (OBS plays it in { $count } of { $scenes } scenes, onair in all of them)
import-shared-strip = '{ $name }' in the mixer (it plays the same audio as '{ $first }')
import-filters-of-audio = filters of the audio source '{ $name }' ({ $kinds })
import-filters-of-audio-and-more = filters of the audio source '{ $name }' ({ $kinds }, and { $count } more)
import-swipe-in = the swipe-in option of the transition '{ $name }'
import-transition = the transition '{ $name }' ({ $kind })
import-transition-unknown = the type of the transition '{ $name }' (it is unknown, so onair fades instead)
import-cut-in-frames = the transition point of '{ $name }' (it is set in frames, so onair uses { $ms } ms)
import-matte-apart = the separate track matte file of '{ $name }'
import-wipe = the wipe image { $image } of '{ $name }' (onair wipes from left to right)

# Your own services.
service-number = enter a whole number, or leave the field empty
service-no-name = the name is missing
service-long-name = the name is too long
own-service-servers = at most { $most } addresses are allowed
own-service-key-page = the address of the stream key page must begin with https://
service-taken = another service has this name

# onair serve.
serve-config = --config { $path }: { $reason }
serve-config-at = line { $line }, column { $column }: { $what }
serve-config-too-long = the file is larger than { $kib } KiB
serve-too-many-keys = there are more than { $most } keys
serve-key-length = a key must be 1 to { $most } bytes long
serve-network = use an address or a network, such as 192.0.2.0/24 or 2001:db8::/32
serve-too-many-apps = there are rules for more than { $most } applications
serve-app-name = use an application name, such as [app.live], or [app."*"] for all others
serve-app-twice = there is another table for the application { $app }: combine the two tables
serve-password-file = --password-file: { $reason }
    .cure = Check the path and permissions of the file. Its first line must contain the password.
serve-srt-passphrase-file = --srt-passphrase-file: { $reason }
serve-meeting-key = the key of the meeting must have at least { $least } characters
    .cure = Check the path and permissions of the file. Its first line must contain the passphrase.
serve-too-many-networks = there are more than { $most } networks
serve-tokens-without-key = [tokens] must contain secrets or jwks; otherwise, no token is valid
serve-token-secret = a token secret must be { $least } to { $most } bytes long
serve-token-no-secret = onair cannot make a token, because [tokens] in the configuration has no secrets
serve-jwks-insecure = use an https:// address, or an address on this computer
serve-jwks-no-keys = it must be a JWK set with an RSA, P-256 or Ed25519 key
serve-callback-url = use an http:// or https:// address
serve-callback-dialect = the dialect 'mediamtx' supports only 'auth', and the other dialects do not support 'auth'
serve-link-local = link-local addresses are not allowed here: cloud providers serve credentials there
serve-too-many-words = there are more than { $most } blocked words
chat-slow-range = use a number of seconds from 0 to { $most }
serve-auth = auth = "{ $other }": use adobe or llnw
serve-tls-file = onair cannot use { $path } for TLS: { $reason }
serve-address = use an IP address with a port, such as 127.0.0.1:1935
serve-ip = use an IP address, such as 192.0.2.1
serve-http-address = use an address with a port, such as 127.0.0.1:8088, or 'none'
serve-webrtc-address = use an address with a port, such as 192.0.2.1:8189, or 'none'
serve-hls-mode = use on-demand, always or off
serve-ice-server = use stun:HOST, stun:HOST:PORT or turn:HOST:PORT?transport=udp
serve-ice-login = a TURN server needs 'username' and 'credential_file' in [[ice_server]]; a STUN server takes neither
serve-ice-text = the user name and the credential must each be 1 to { $most } ASCII characters long
serve-too-many-ice-servers = there are more than { $most } ICE servers
serve-successor-http = use http://HOST:PORT or https://HOST:PORT, without a path or password
serve-too-many-rules = there are more than { $most } rules for recordings
serve-too-many-rendition-rules = there are more than { $most } rules for renditions
serve-rule-streams = use a stream name or a pattern such as live/*, at most { $most } bytes long
serve-hls-part = --hls-part is longer than half of --hls-segment
    .cure = Make --hls-part shorter or --hls-segment longer.
serve-hls-window = --hls-window is shorter than three times --hls-segment
    .cure = Make --hls-window longer or --hls-segment shorter.
serve-origin = use an origin without a path, such as https://example.com, or *
server-host = '{ $text }' is not a host name: use a host name without a port, such as studio.example.com
server-names-many = use at most { $most } entries
server-play-key-bad = use true or false; until you correct this value, viewers need a key
serve-certificate-unused = --cert and --cert-key need --rtmps or --https
serve-acme-alone = --acme needs --https, and no --cert
serve-acme-domain = "{ $domain }" is no domain for a certificate
    .cure = Use a name such as live.example.com. Wildcards and IP addresses are not possible.
serve-acme-directory = the address of the authority must begin with https://
serve-acme-email = this is not an e-mail address
serve-no-own-certificate = onair cannot make its own certificate for HTTPS: { $reason }
    .cure = Check the folder for onair's state, or use --cert and --cert-key.
serve-together = { $flags } must be used together, but one is missing
serve-same-port = { $flags } use the same port { $port }
    .cure = Give each flag its own port.
serve-without-record = { $flag } needs --record, or the key record in the --config file
serve-auth-without-user = --auth needs --user
rendition-invalid = '{ $text }' is not a rendition: use a height with a bitrate, such as 480p:1200k, or audio
rendition-too-many = use at most { $most } video renditions, and list each rendition only once
serve-number-within = use a number from { $least } to { $most }
rendition-cpu-range = use a percentage from { $least } to { $most }
watermark-one-of = use either an image or text
watermark-text = the text must be 1 to { $most } characters long
watermark-too-many = use at most { $most } watermarks
watermark-image = onair cannot use the image { $file }: { $reason }
    .cure = Use the path of a PNG, JPEG or WebP file that the server can read.

# Faults of the fault lab.
fault-bad = '{ $text }' is not a valid fault: { $reason }
fault-shape = use FAULT@PHASE or FAULT@PHASE:VALUE, such as reset@media:3s
fault-times = after *, write how many times the fault occurs, from 1 to { $most }
fault-phases = the phases are { $known }
fault-needs-value = it needs a value, such as { $example }
fault-only-at = { $name } is possible only in these phases: { $phases }
fault-time-at-media = { $name } accepts a time only in the media phase
fault-stall-time = { $reason }; to set the stall duration, write + before it, as in stall@connect:+5s
fault-codes = possible codes: { $known }
fault-busy-times = '{ $text }' is not a valid count: use, for example, busy@publish:2
fault-url = '{ $url }' is not a valid URL: use, for example, rtmp://other.example/app
fault-no-value = { $name } takes no value
fault-time-order = in '{ $text }', write the smaller time first
fault-time = '{ $text }' is not a valid time: use, for example, 3s, 2.5s or 200ms, and at most one hour

# Commands of --control, and their names in results.
control-no-command = '{ $word }' is not a command, or is incomplete: use { $syntax }
control-no-command-here = this is not a command: use { $syntax }
control-write = use { $syntax }
control-write-for = '{ $text }': use { $syntax }
control-no-scene = there is no scene '{ $name }'
control-no-source = there is no source '{ $name }'
control-no-item = the current scene has no item '{ $name }'
control-no-item-anywhere = the current scene has no item '{ $name }'; for another scene, use SCENE/ITEM
control-no-guest = there is no guest '{ $id }'; your guests: { $known }
control-no-strip = there is no audio source '{ $name }'; your audio sources: { $known }
control-no-duplicate = onair cannot duplicate '{ $name }': the item has no source, or you already have the maximum number of sources
control-not-prepared = no scene is in the preview: use 'prepare SCENE' first
control-if-black = { $name } ({ $kind }) cannot have a fallback. Only cameras, displays, windows, streams and media files can have one.
control-no-dialog = { $name } does not use the desktop's sharing dialog. Specify a display or window in a Wayland session.
control-no-talk = no matching audio source uses push-to-talk or push-to-mute. Turn on push-to-talk in the audio mixer, or with 'talk' in the settings file.
control-no-page = { $name } ({ $kind }) is not a browser page. Specify a source that shows one.
control-no-key = { $name } is not a key. Write a letter, a digit or a name such as Enter, Tab, ArrowLeft or F5, after Ctrl+, Alt+, Shift+ or Meta+ if needed.
control-no-media = { $name } ({ $kind }) does not play media. Specify a media file, slide show or stream.
control-no-audio-file = { $name } ({ $kind }) does not play an audio file. Specify an audio source that plays a file.
control-shown-file = { $name } plays the file of a video source, and follows its end behavior. Use 'media at-end' with the name of the video source.
control-records-already = onair is already recording to { $path }: use 'stop-recording' first
control-no-recording = no recording is running: use 'record PATH' first
control-no-room = onair cannot add a file to '{ $name }': it is not a media file or slide show, or it already has the maximum number of files
control-no-entry = there is no file { $number } to remove from the list of '{ $name }'
control-no-filter-kind = there is no filter kind '{ $kind }'; choose { $known }
control-no-such-filter = there is no { $kind } filter; to add one, use "filter add { $kind }"
control-most-filters = you can add at most { $most } filters
control-media-remove = use 'media remove NUMBER SOURCE'; numbers start at 2, because you can only replace the first file
control-no-transition = '{ $kind }' is not a transition: use one of { $known }
control-needs-file = '{ $kind }' needs a file: end the line with file=PATH
control-no-file = '{ $kind }' takes no file
control-one-stream = there is only one stream
control-no-stream = there is no stream { $number }; only { $count } are open
control-stream-number = use 'stream NUMBER'; the first stream is number 1
control-stream-idle = stream { $number } is not playing
control-record-format = record { $path }: onair writes received streams as FLV, so the name must end in .flv
control-most-words = onair hides at most { $most } words, each up to { $length } characters long
control-nothing-kept = you cannot seek yet, because onair has not stored any of the stream
control-beyond-end = the recording is only { $seconds } s long
control-live-position = a live stream has no such position: use 'seek -10s', 'rewind 30s' or 'go-live'
control-no-live-edge = this is a recording, which has no live edge
control-rewind-recording = 'rewind' is for live streams: in a recording, use 'seek -10s' to go back
control-rewind-range = you can go back at most { $seconds } s; to go that far back, use 'rewind' without a time
control-recording-already = onair is already recording this stream to { $path }: use 'record off' first
control-already-a-file = onair records live streams only, and this is already a recording
control-no-window = this command needs a window, but onair runs without one
control-no-file-made = onair cannot create the file
control-no-chat = no chat is open: start onair with --chat
control-not-sent = onair could not send the message: the chat has closed, or too many messages are waiting
control-nothing-plays = nothing is playing
control-idle = the selected player is not playing
play-flag-buffer = the buffer must be between 100ms and 10s, or auto
play-flag-offset = the offset must be between -2s and 2s
play-flag-speaker = the ID is empty: `onair devices` lists the speaker IDs
flag-size = '{ $text }' is not a valid size: use at least 66K, for example 700M or 2G
flag-size-within = use a size from { $least } to { $most }
flag-duration-within = use a duration from { $least } to { $most }
flag-duration-zero = the duration must be longer than 0, such as 10s
flag-whole-number = use a whole number, such as 4
flag-ports = use ports from 1 to 65535, such as 1935,443
flag-log = --log '{ $text }' is not a log level: use off, error, warn, info, debug, trace, or a filter such as onair=debug
flag-sample-rate = AAC does not support this sample rate: use { $rates }
flag-replay-to = to use --replay-to, add --replay or turn on the replay buffer in the settings
flag-meet-key = to use --meet, add --meet-key-env or --meet-key-file
record-source-syntax = use SOURCE=PATH, for example Camera=camera.mkv
record-source-unknown = there is no source with the name “{ $name }”. Known: { $known }
record-source-twice = the source “{ $name }” has two --record-source flags
record-source-full = onair records at most { $most } sources at once
record-source-off = the recording of this source did not start
record-track-syntax = use NAME=SOURCE, for example Voice=mic
record-track-unnamed = the track has no name: use NAME=SOURCE, for example Voice=mic
record-track-silent = 'none' has no audio to record
record-track-full = --record-track { $name }: all tracks are in use
record-track-strips = the mixer already has the maximum of { $most } audio sources
flag-delay = the stream delay must be at most 30m
control-no-item-value = an item has no property '{ $name }': use one of { $known }
control-side-chain-of-compressor = only a compressor has the setting 'side_chain'
control-side-chain = 'side_chain' needs the name of an audio source, or 'none'
play-flag-balance = '{ $text }' is not a valid balance: use a number from -100 (left only) to 100 (right only)
