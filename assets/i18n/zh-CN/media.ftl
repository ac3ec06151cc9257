# 媒体无法读取、解码或编码的原因（src/wire、src/decode、src/encode）。与 en 保持同步。

# 解码
decode-unsupported = 此处无法解码 { $codec }
decode-no-decoder = 此处无法解码 { $codec }：{ $reason }
decode-bad-config = { $what } 已损坏：{ $reason }
decode-bad-packet = 已略去一个损坏的 { $what } 数据包（{ $reason }）
decode-failed = { $decoder } 出错：{ $doing }（代码 { $code }）
decode-not-built = 此 onair 编译时没有启用 FFmpeg 库
    .cure = 请使用编译时启用了 `ffmpeg` 功能的 onair；本机有 FFmpeg 库时，packaging/run.sh 会自动启用。
decode-not-installed = 本机没有安装此 onair 所需版本的 FFmpeg 库
    .cure = 请安装相应版本的 FFmpeg 库（libavcodec、libavutil、libswscale），或用现有的库重新编译 onair。
decode-not-in-library = 本机的 FFmpeg 库没有它的解码器
    .cure = 请安装带有该解码器的 FFmpeg 库。
decode-speex = Speex 音频将播放为静音：{ $reason }
decode-no-device = 无法打开 { $device } 设备（{ $reason }）
decode-device-without-h264 = { $device } 设备不能解码 H.264
decode-device-fails = { $device } 设备未通过测试：{ $reason }
decode-no-frame = 没有输出帧
decode-wrong-frame = 输出的帧有误

# 编码
encode-size = 视频的宽和高必须是偶数，且不小于 16 像素
encode-level = 该尺寸、帧率或码率超出 H.264 级别 5.2
encode-rate = AAC 没有 { $rate } Hz 的采样率
media-no-format = “{ $text }”不是文件格式：请写 flv、mp4 或 mkv
encode-channels = onair 的 AAC 编码只支持 1 或 2 个声道，不支持 { $channels } 个声道
encode-no-encoder = 无法打开 { $kind } 编码器（{ $tried }）
encode-failed = { $encoder } 出错：{ $doing }（代码 { $code }）
encode-malformed = { $encoder } 输出的流有误：{ $what }
encode-other-size = 编码器应收到 { $expected } 的帧，却收到 { $got } 的帧
encode-no-thread = 无法启动线程 { $thread }：{ $reason }

# 容器
media-unknown = onair 无法识别其格式
media-damaged = 文件已损坏：{ $reason }
media-too-much = 文件中的 { $what } 过多或过大
media-unsupported = 文件中有 onair 无法读取的内容：{ $what }
media-empty = 文件中没有 onair 可读取的视频或音频

# 播放列表（HLS）
hls-not-a-playlist = 开头不是 #EXTM3U
hls-too-long = 超过 { $mib } MiB
hls-too-many = 超过 { $count } 项
hls-tag = 无法读取标签 { $tag }
hls-no-target-duration = 没有目标时长
hls-empty = 其中没有内容
hls-skipped = 略去了从未发送的内容
