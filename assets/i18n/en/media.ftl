# Reasons why media cannot be read, decoded or encoded (src/wire, src/decode, src/encode). Keep in step with zh-CN.

# Decoding.
decode-unsupported = onair cannot decode { $codec }
decode-no-decoder = onair cannot decode { $codec }: { $reason }
decode-bad-config = the { $codec } config is damaged: { $reason }
decode-bad-packet = onair skipped an undecodable { $codec } packet ({ $reason })
decode-failed-start = { $decoder } did not start (code { $code })
decode-failed-config = { $decoder } rejected its settings (code { $code })
decode-failed-keyframes = { $decoder } failed to decode { $count } keyframes in a row
decode-this-codec = this codec
decode-code = code { $code }
decode-length = { $bytes } bytes
decode-crashed = the decoder stopped unexpectedly
decode-empty = the data is missing
decode-too-short = the data is too short
decode-invalid = the data contains invalid values
decode-references = too many reference frames
decode-pcm-kind = PCM with { $channels } channels at { $rate } Hz
decode-opus-kind = Opus with { $channels } channels
decode-h264-kind = H.264 { $profile } with { $lack }
decode-chroma = a chroma format other than 4:2:0
decode-bit-depth = more than 8 bits per sample
decode-interlaced = interlaced video
decode-profile = a profile above High
decode-frame-size = frames of { $size }
decode-pixel-format = onair cannot convert the pixel format { $format }
decode-no-plane = a plane of the frame is missing
decode-not-built = this build of onair does not include the FFmpeg libraries
    .cure = Use a build of onair with the feature `ffmpeg`. packaging/run.sh turns on this feature if the FFmpeg libraries are installed.
decode-not-installed = the FFmpeg libraries that this build of onair needs are not installed
    .cure = Install the version of the FFmpeg libraries (libavcodec, libavutil, libswscale) that onair was built with, or rebuild onair against your version.
decode-not-in-library = the FFmpeg libraries on this system have no decoder for this codec
    .cure = Install a build of the FFmpeg libraries that includes this decoder.
decode-speex = onair cannot decode Speex ({ $reason })
decode-no-device = onair cannot open a { $device } device ({ $reason })
decode-device-without-h264 = the { $device } device does not decode H.264
decode-device-fails = the { $device } device failed a test: { $reason }
decode-no-frame = no frame was returned
decode-wrong-frame = an incorrect frame was returned

# Encoding.
encode-size = the video's width and height must be even numbers, and at least 16 pixels
encode-nothing = you chose neither video nor audio
encode-level = H.264 level 5.2 does not allow this size, frame rate or bitrate
encode-rate = AAC does not support a sample rate of { $rate } Hz
media-no-format = '{ $text }' is not a supported file format: use flv, mp4 or mkv
encode-channels = onair encodes AAC with 1 or 2 channels, not { $channels }
encode-no-video-encoder = onair cannot open a video encoder ({ $tried })
encode-no-audio-encoder = onair cannot open an audio encoder ({ $tried })
encode-tried = { $encoder }: { $reason }
encode-failed = { $encoder } failed to { $step } (code { $code })
encode-step-start = start
encode-step-configure = apply its settings
encode-step-describe = write its codec config
encode-step-quantizer = change its quantizer
encode-step-keyframe = make a keyframe
encode-step-encode = encode
encode-malformed = { $encoder } wrote a malformed stream: { $flaw }
encode-flaw-no-config = the codec config is missing
encode-flaw-bad-config = the codec config is invalid
encode-flaw-channels = the channel count is wrong
encode-flaw-no-slice = a frame has no slice
encode-flaw-no-start-code = a start code is missing
encode-other-size = the encoder expected a frame size of { $expected }, but received { $got }
encode-no-thread = onair cannot start the thread { $thread }: { $reason }

# Containers.
media-unknown = the media format is unknown
media-damaged = the file is damaged ({ $part })
media-too-much = part of the file is too large ({ $part })
media-cure-long = Divide the file into smaller files, for example with ffmpeg.
file-part-header = header
file-part-index = index
file-part-unwritten-index = the index was not written
file-part-structure = structure
file-part-samples = samples
file-part-codec-config = codec config
file-part-encryption = encryption
file-part-metadata = metadata
file-part-chapters = chapters
track-video = { $codec } video
track-audio = { $codec } audio
content-track = a track in { $codec }
content-encrypted-track = an encrypted { $codec } track
content-video-track = a video track in { $codec }
content-audio-track = an audio track in { $codec }
content-unreadable-track = a track that onair cannot read
content-second-video = a second video track
content-shared-tags = audio tracks that share FLV tags
content-laced = blocks with several audio frames that onair cannot split
content-transparency = video transparency
content-resized = frames after a size or format change
content-rotation = video rotation
content-audio-track-names = audio track names
content-audio-track-languages = audio track languages
content-hdr-metadata = HDR metadata outside the video stream
content-video-packet = a video packet of { $size } bytes
content-audio-packet = an audio packet of { $size } bytes

# Bytes of H.264.
h264-cut-off = a parameter set or slice ends too early
h264-code = a parameter set or slice has an invalid code
h264-no-nal = no NAL unit was found
h264-wrong-nal = a NAL unit begins with { $header } instead of { $expected }
h264-length = a NAL unit is longer than the data
h264-range = { $field } is out of range
media-unsupported = the file has { $what }, which onair cannot read
media-empty = the file has no video or audio that onair can read

# Playlists (HLS).
hls-not-a-playlist = the first line does not begin with #EXTM3U
hls-too-long = the size exceeds { $mib } MiB
hls-too-many = the number of entries exceeds { $count }
hls-tag = onair cannot read the tag { $tag }
hls-no-target-duration = the target duration is missing
hls-empty = no entries were found
hls-skipped = some skipped entries were never received
