# The pages of the settings dialog.

settings-search = Search settings
settings-page-general = General
settings-page-video = Video
settings-page-audio = Audio
settings-page-output = Output
settings-page-recording = Recording
settings-page-hotkeys = Hotkeys
settings-page-rules = Rules
settings-page-network = Network
settings-page-remote-control = Remote control
settings-page-about = About

setting-reset = Reset { $name } to { $default }
setting-default = { $name } (default)
setting-off = Off

setting-language = Language
setting-language-note = The language of the window. Names that you entered stay as they are.
setting-theme = Colors
setting-theme-note = With dark colors, the video is the brightest part of the screen.
setting-scale = Interface size
setting-scale-note = Size of text and controls. Automatic adapts to the display.
setting-motion = Reduce motion
setting-motion-note = Turns off animations and scrolling danmaku.
setting-meter = Level meter decay
setting-meter-note = How fast the bars fall after a peak.

setting-size = Resolution
setting-size-note = The size of the program for all targets and recordings. 1280×720 suits most connections.
setting-rate = Frame rate
setting-rate-note = 30 fps suits talks. 60 fps suits games and sports, and needs twice the CPU.
setting-bitrate = Video bitrate
setting-bitrate-note = A higher bitrate looks better but needs more upload bandwidth. Keep a quarter of your upload bandwidth free.
setting-camera-source = Virtual camera
setting-camera-source-note = The picture that other programs get from the virtual camera.
setting-camera-size = Size of the virtual camera
setting-camera-size-note = Some meeting programs prefer a small picture.
setting-camera-mirrored = Mirror the virtual camera
setting-camera-mirrored-note = Exchanges left and right.
camera-size-program = Size of the program

setting-monitoring = Monitoring device
setting-monitoring-note = Plays the audio sources that you monitor. Use headphones to avoid echo.
setting-push-to-talk = Push-to-talk key
setting-push-to-talk-note = Hold this key to unmute or mute a microphone. Turn push-to-talk on in the audio mixer.

setting-aim = Encoding
setting-aim-note = onair measures the encoders of this computer. Each button chooses an encoder and a preset that leave a third of the computer free. Best quality can mean AV1 or HEVC, which not every target and viewer takes.
setting-codec = Video codec
setting-codec-note = HEVC and AV1 look better than H.264 at the same bitrate, and need more CPU. Targets that do not say that they take them get H.264 from a second encode.
setting-encoder = Video encoder
setting-encoder-note = Automatic uses the best encoder of H.264 that was measured to be fast enough, or else OpenH264, which works on every computer. x264 (H.264), x265 (HEVC) and SVT-AV1 look better at the same bitrate, and need FFmpeg on this computer.
setting-preset = Encoder preset
setting-preset-note = A slower preset looks better at the same bitrate, and needs more CPU. OpenH264 has no presets.
setting-rate-control = Rate control
setting-rate-control-note = Services expect a constant bitrate. Constant quality saves bandwidth in calm scenes. OpenH264 offers no choice.
setting-b-frames = B-frames
setting-b-frames-note = B-frames look better at the same bitrate, and delay the stream by a few frames. WebRTC viewers do not support them. WHIP targets get a second encode without them.
setting-look-ahead = Look-ahead
setting-look-ahead-note = The encoder sees later frames before it spends bits. The picture gets better, and the stream is delayed. If the encoder fails, these frames are lost.

setting-adaptation = Adaptive bitrate
setting-adaptation-note = Lowers the video bitrate while a connection is slow, which avoids dropped frames.
setting-keyframes = Keyframe interval
setting-keyframes-note = Determines how soon new viewers see the video. 2 s suits most services.
setting-audio-format = Audio format
setting-audio-format-note = Bitrate, sample rate and channels of the stream's AAC audio. The defaults suit all services.
setting-delay = Stream delay
setting-delay-note = How long onair delays the stream for viewers. Takes effect with the next broadcast.

setting-folder = Recordings folder
setting-folder-note = For recordings, replays and screenshots. onair creates the folder when necessary.
setting-format = Recording format
setting-format-note = MP4 plays almost everywhere. An FLV recording has only one audio track.
setting-file-name = File names
setting-file-name-note = The names of new recordings. Placeholders: {"{"}date{"}"}, {"{"}time{"}"}, {"{"}year{"}"}, {"{"}month{"}"}, {"{"}day{"}"}, {"{"}hour{"}"}, {"{"}minute{"}"}, {"{"}second{"}"}, {"{"}scene{"}"}, {"{"}size{"}"}, {"{"}fps{"}"}.
file-name-example = For example: { $name }
file-name-unknown = There is no placeholder { $name }. The name stays as it was.
setting-split = Split recordings
setting-split-note = Starts a new file after this time or size, without a gap.
setting-record-encoder = Encoder of recordings
setting-record-encoder-note = Recordings can have an encoder of their own, which runs beside that of the stream. If it fails, the recording continues in a new file with the video of the stream.
record-encoder-stream = Same video as the stream
setting-record-quality = Quality of recordings
setting-record-quality-note = A lower number of constant quality looks better and makes larger files. It does not change the stream.
record-quality-stream = As the stream
setting-replay = Replay buffer
setting-replay-note = Keeps the last few seconds of the program in memory, so that you can save them with a button or hotkey.
setting-replay-always = Keep the replay buffer running
setting-replay-always-note = The encoder also runs while you are off air, and uses as much CPU as during a broadcast.
setting-tracks = Audio tracks
setting-tracks-note = Track names in recordings. Video editors show these names.

setting-hotkeys = Hotkeys
setting-hotkeys-note = Click a hotkey, then press the new keys. On the Studio page, letters, digits and punctuation keys without Ctrl or Alt work only while the canvas or a list has the focus.

setting-services = Your own services
setting-services-note = Services that you add to onair, with their servers and limits.
setting-services-edit = { $count ->
    [0] Add a service…
    [one] Edit { $count } service…
   *[other] Edit { $count } services…
}
setting-successor = Successor server
setting-successor-note = When the built-in server stops, clients that support Enhanced RTMP reconnect to this address.
setting-server-names = Server host names
setting-server-names-note = Browsers can use these names, such as studio.example.com. IP addresses and this computer's .local name always work.
setting-server-names-hint = studio.example.com
setting-server-origins = Websites that may play your stream
setting-server-origins-note = Pages on these websites may load the stream from the built-in server. Enter * for all websites.
setting-server-origins-hint = https://example.com

setting-rules = Rules
setting-rules-note = When an event happens, onair runs a command. Rules also work while the window is hidden.
rule-when = Event
rule-detail = Details of the event
rule-then = Command
rule-switch = On or off
rule-enabled = Follow this rule
rule-scene = Scene is shown
rule-scene-hint = Name of the scene
rule-source-lost = Source is lost
rule-source-lost-hint = Name of the source; empty: any
rule-target-lost = Target is lost
rule-target-lost-hint = Name of the target; empty: any
rule-silent = Audio is silent
rule-silent-hint = Seconds, such as 10, or 10:Microphone
rule-time = Time of day
rule-time-hint = Such as 20:15
rule-chat = Word in the chat
rule-chat-hint = A word, such as !pause
rule-window = Window in front
rule-window-hint = A part of its title or program
rule-hotkey = Hotkey
rule-hotkey-hint = Number of the rule key, 1 to 4
rule-toggle = Switch over
rule-on = Turn on
rule-off = Turn off
rule-test = Test
rule-add = Add a rule
rule-remove = Remove the rule
rule-unknown = onair does not know this command, or a rule cannot run it. Choose another one.
setting-remote-control = Control by other programs
setting-remote-control-note = Stream decks, bots and other programs that can control OBS (obs-websocket 5) can control onair. They need the password.
setting-remote-port = Port
setting-remote-port-note = OBS uses 4455, so most programs try this port first. OBS and onair cannot use the same port at the same time.
setting-remote-network = Other computers
setting-remote-network-note = Programs on phones and other computers in your network can connect. The connection is not encrypted.
setting-remote-password = Password
setting-remote-password-note = Paste it into the other program. onair never shows it, so that viewers cannot see it.
setting-remote-clients = Connections
setting-remote-clients-note = The address of onair, and the programs that are connected.
remote-copy-password = Copy password
remote-new-password = New password
tip-remote-new-password = Disconnects all programs. They need the new password.
remote-off = Not listening
remote-connected = { $address }: connected
remote-no-password = { $address }: has not sent the password

setting-renderer = Rendering
setting-renderer-note = How onair draws this window. Software rendering needs more CPU.
setting-keys = Stream keys
setting-keys-note = onair never writes keys to the settings, logs or exported scenes, and sends no usage data.
setting-version = Version
setting-version-note = Include the version when you report a problem.

limit-video = { $service } allows at most { $most } kbps of video, so the slider ends at this value.
limit-bitrate = { $service } allows at most { $most } kbps of video.
limit-audio = { $service } allows at most { $most } kbps of audio, so the slider ends at this value.
limit-height = { $service } allows a frame height of at most { $most } pixels.
limit-rate = { $service } allows at most { $most } fps.
limit-keyframes = { $service } needs a keyframe at least every { $most } s.
limit-over = Your settings exceed the limits of { $service }. The service may end the stream.

# The file chooser.
chooser-folder = Choose a folder
chooser-file = Choose a file
chooser-files = Choose files
chooser-new = Save as
chooser-choose = Choose
chooser-save = Save
chooser-path = Path
chooser-name = Name
chooser-all = All files
chooser-up = Parent folder
chooser-new-folder = New folder
chooser-folder-name = New folder
chooser-home = Home
chooser-videos = Videos
chooser-reading = Reading the folder…
chooser-unreadable = onair cannot read this folder: { $reason }
chooser-empty = There is nothing to choose in this folder.
chooser-no-subfolders = There are no subfolders. Choose selects this folder.
chooser-cut = This list is incomplete. Enter the path instead.
chooser-nothing = Choose a file first.
chooser-no-name = Enter a name first.
chooser-exists = This file already exists. Press Save again to replace it.
chooser-no-file = There is no file at this path.
chooser-no-folder = There is no folder at this path.
chooser-waits = The desktop's file dialog is open
chooser-waits-note = If you do not see the dialog, use onair's chooser.
chooser-own = Use onair's chooser
