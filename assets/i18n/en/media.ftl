# Why media cannot be read, decoded or encoded (src/wire, src/decode, src/encode). Keep in step with zh-CN.

# Decoding.
decode-unsupported = { $codec } cannot be decoded here
decode-no-decoder = { $codec } cannot be decoded here: { $reason }
decode-bad-config = the { $what } is damaged: { $reason }
decode-bad-packet = a damaged { $what } packet was left out ({ $reason })
decode-failed = { $decoder } failed while { $doing } (code { $code })
decode-not-built = this onair was built without FFmpeg's libraries
    .cure = Use an onair that was built with the feature `ffmpeg`. packaging/run.sh turns it on where FFmpeg's libraries are installed.
decode-not-installed = the FFmpeg libraries that this build of onair needs are not installed
    .cure = Install FFmpeg's libraries (libavcodec, libavutil, libswscale) of the version that onair was built with. Or build onair again with those you have.
decode-not-in-library = FFmpeg's libraries on this system have no decoder for it
    .cure = Install FFmpeg's libraries with that decoder.
decode-speex = Speex is played as silence: { $reason }
decode-no-device = no { $device } device could be opened ({ $reason })
decode-device-without-h264 = the { $device } device does not decode H.264
decode-device-fails = the { $device } device failed a test: { $reason }
decode-no-frame = no frame
decode-wrong-frame = a wrong frame

# Encoding.
encode-size = video needs an even width and height of at least 16 pixels
encode-level = H.264 level 5.2 allows no such size, frame rate or bitrate
encode-rate = AAC has no sampling rate of { $rate } Hz
media-no-format = '{ $text }' is not a file format: write flv, mp4 or mkv
encode-channels = onair encodes AAC with 1 or 2 channels, not { $channels }
encode-no-encoder = no { $kind } encoder could be opened ({ $tried })
encode-failed = { $encoder } failed while { $doing } (code { $code })
encode-malformed = { $encoder } wrote a malformed stream: { $what }
encode-other-size = a frame of { $got } reached an encoder for { $expected }
encode-no-thread = cannot start the thread { $thread }: { $reason }

# Containers.
media-unknown = onair does not know its format
media-damaged = the file is damaged: { $reason }
media-too-much = the file has too many { $what }, or they are too large
media-unsupported = the file has { $what }, which onair cannot read
media-empty = the file has no video or audio that onair can read

# Playlists (HLS).
hls-not-a-playlist = it does not begin with #EXTM3U
hls-too-long = it is longer than { $mib } MiB
hls-too-many = it has more than { $count } entries
hls-tag = its tag { $tag } cannot be read
hls-no-target-duration = it has no target duration
hls-empty = it has no entries
hls-skipped = it skips entries that were never sent
