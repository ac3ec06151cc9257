# The first-run guide.
action-set-up = Run setup again…
tip-action-set-up = Opens the first-run guide: language, devices, target and quality.
guide-step = Step { $number } of { $count }: { $name }
guide-step-now = Current step: { $number } of { $count }, { $name }
guide-skip = Skip, I know my way around
guide-back = Back
guide-next = Next
guide-that-is-me = That's me
guide-open-studio = Open the studio

guide-language = Language
guide-welcome = Welcome to onair
guide-welcome-second = Choose your language. Four more steps, and you are ready to go live.

guide-english = English
guide-english-second = Use onair in English
guide-chinese = 中文
guide-chinese-second = 使用中文界面

guide-devices = Camera and microphone
guide-is-this-you = Is this you?
guide-devices-second = Choose what viewers see and hear. You can change both at any time.
guide-picture = What viewers see
guide-camera = Camera
guide-microphone = Microphone
guide-screen = Your display
guide-no-camera = No camera
guide-no-camera-advice = No camera found. Plug in a camera, or start with your display or the test pattern.
guide-camera-failed = onair cannot open this camera. Close other programs that are using the camera, or choose another camera.
guide-display-failed = onair cannot capture the display. Choose a camera or the test pattern.
guide-no-microphone = No microphone
guide-microphone-failed = This audio device does not work. Reconnect the device, or choose another one.
guide-good-level = Good level: { $db } dB.
guide-test-tone = Viewers hear a test tone at { $db } dB, not your voice.
guide-quiet = Quiet: { $db } dB. Move closer, or raise the input volume.
guide-nothing-heard = No sound. Say something, or choose another microphone.
guide-too-loud = Too loud: the audio is clipping. Lower the input volume.
guide-muted = Muted. Viewers hear nothing.
guide-silence = Viewers hear silence.

guide-destination = Target
guide-where = Where do you want to stream?
guide-where-second = onair sends the stream only to this target. You can add more targets later.
guide-try-here = Just try it here
guide-try-here-second = Use the built-in server on this computer
guide-here-what = This stream stays on this computer, so nobody on the internet can see it.
guide-here-how = Watch the stream on the Watch page, or in a browser on this computer. You can switch to a service at any time.
guide-key-kept = onair stores the key in your keyring or in a file that only you can read, never in the settings.
    .windows = onair stores the key in Windows Credential Manager, never in the settings.

guide-quality = Quality
guide-how-good = How good can your stream look?
guide-quality-second = onair measures this computer and your connection, and recommends a quality.
guide-recommended = Recommended · { $what }
guide-this-computer = This computer
guide-speed = { $size }: encodes { $fps } frames per second
guide-measuring = Measuring the encoder…
guide-upload = Upload
guide-upload-next = Not measured yet
guide-measuring-upload = Checking the connection…
guide-upload-local = The stream stays on this computer.
guide-upload-unknown = Not measured: this target has no test mode, or did not respond.
guide-upload-enough = At least { $rate }. All test data arrived.
guide-upload-limited = About { $rate }
guide-measure-again = Measure again
guide-recommend = onair recommends { $size } at { $rate } fps and { $bitrate }.
guide-because-all = This is the highest preset, and there is room to spare.
guide-because-encoder = Higher quality would overload this computer.
guide-because-upload = Higher quality would need a faster upload.
guide-because-upload-test = Your upload may be faster than the test. If it is, you can raise the quality later.
guide-because-unknown = Most connections can handle this quality, and you can raise it later.
guide-because-service = The service does not accept higher quality.

guide-ready = Ready
guide-all-set = All set
guide-ready-second = These are your choices. You can change everything later in the studio.
guide-again = To run this guide again, press { $keys } and choose “Run setup again…”.
app-missing = Add the application to the address, for example rtmp://server/app.
key-missing = Enter the stream key first. You get the key from the service or the server's operator.
server-missing = Enter the server address first.

# The names of the first scene, and of the first collection and profile.
guide-first-scene = Main
guide-first-part = Main
