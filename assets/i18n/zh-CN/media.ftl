# 媒体无法读取、解码或编码的原因（src/wire、src/decode、src/encode）。与 en 保持同步。

# 解码
decode-unsupported = 本机无法解码 { $codec }
decode-no-decoder = 本机无法解码 { $codec }：{ $reason }
decode-bad-config = { $codec } 的解码参数已损坏：{ $reason }
decode-bad-packet = 已跳过一个无法解码的 { $codec } 数据包（{ $reason }）
decode-failed-start = { $decoder } 无法启动（代码 { $code }）
decode-failed-config = { $decoder } 拒绝了 onair 的设置（代码 { $code }）
decode-failed-keyframes = { $decoder } 连续 { $count } 个关键帧解码失败
decode-this-codec = 此编码格式
decode-code = 错误代码 { $code }
decode-length = { $bytes } 字节
decode-crashed = 解码器意外停止
decode-empty = 内容为空
decode-too-short = 内容过短
decode-invalid = 数值无效
decode-references = 参考帧过多
decode-pcm-kind = { $channels } 声道、{ $rate } Hz 的 PCM
decode-opus-kind = { $channels } 声道的 Opus
decode-h264-kind = H.264 { $profile }（{ $lack }）
decode-chroma = 色度格式不是 4:2:0
decode-bit-depth = 位深超过 8 位
decode-interlaced = 隔行视频
decode-profile = profile 高于 High
decode-frame-size = 帧尺寸 { $size }
decode-pixel-format = 无法转换像素格式 { $format }
decode-no-plane = 视频帧缺少一个数据平面
decode-not-built = 此版本的 onair 编译时没有启用 FFmpeg 库
    .cure = 请使用编译时启用了 `ffmpeg` 功能的 onair；本机有 FFmpeg 库时，packaging/run.sh 会自动启用。
decode-not-installed = 本机没有安装 onair 所需版本的 FFmpeg 库
    .cure = 请安装相应版本的 FFmpeg 库（libavcodec、libavutil、libswscale），或用现有的库重新编译 onair。
decode-not-in-library = 本机的 FFmpeg 库没有相应的解码器
    .cure = 请安装包含所需解码器的 FFmpeg 库。
decode-speex = 本机无法解码 Speex（{ $reason }）
decode-no-device = 无法打开 { $device } 设备（{ $reason }）
decode-device-without-h264 = { $device } 设备不能解码 H.264
decode-device-fails = { $device } 设备未通过测试：{ $reason }
decode-no-frame = 没有输出任何帧
decode-wrong-frame = 输出的帧有误

# 编码
encode-size = 视频的宽和高必须是偶数，且不小于 16 像素
encode-nothing = 没有选择视频，也没有选择音频
encode-level = 所选的尺寸、帧率或码率超出 H.264 级别 5.2 的上限
encode-rate = AAC 不支持 { $rate } Hz 的采样率
media-no-format = “{ $text }”不是支持的文件格式：请使用 flv、mp4 或 mkv
encode-channels = onair 的 AAC 编码只支持 1 或 2 个声道，不支持 { $channels } 个声道
encode-no-video-encoder = 无法打开视频编码器（{ $tried }）
encode-no-audio-encoder = 无法打开音频编码器（{ $tried }）
encode-tried = { $encoder }：{ $reason }
encode-failed = { $encoder } { $step }失败（代码 { $code }）
encode-step-start = 启动
encode-step-configure = 应用设置
encode-step-describe = 写入解码参数
encode-step-quantizer = 调整量化参数
encode-step-keyframe = 生成关键帧
encode-step-encode = 编码
encode-malformed = { $encoder } 输出的流有误：{ $flaw }
encode-flaw-no-config = 缺少解码参数
encode-flaw-bad-config = 解码参数无效
encode-flaw-channels = 声道数不符
encode-flaw-no-slice = 有一帧没有 slice
encode-flaw-no-start-code = 缺少起始码
encode-other-size = 编码器应收到 { $expected } 的帧，却收到 { $got } 的帧
encode-no-thread = 无法启动线程 { $thread }：{ $reason }

# 容器
media-unknown = 无法识别媒体格式
media-damaged = 文件已损坏（{ $part }）
media-too-much = 文件的某个部分过大（{ $part }）
media-cure-long = 请把文件分成更小的部分，例如用 ffmpeg。
file-part-header = 文件头
file-part-index = 索引
file-part-unwritten-index = 还没写入索引就中断了
file-part-structure = 文件结构
file-part-samples = 媒体数据
file-part-codec-config = 解码参数
file-part-encryption = 加密信息
file-part-metadata = 元数据
file-part-chapters = 章节
track-video = { $codec } 视频
track-audio = { $codec } 音频
content-track = { $codec } 轨道
content-encrypted-track = 加密的 { $codec } 轨道
content-video-track = { $codec } 视频轨道
content-audio-track = { $codec } 音轨
content-unreadable-track = 一条无法读取的轨道
content-second-video = 第二条视频轨道
content-shared-tags = 共用 FLV 标签的音轨
content-laced = 包含多个音频帧、onair 无法分开的数据块
content-transparency = 视频的透明度
content-resized = 尺寸或格式变化之后的帧
content-rotation = 视频的旋转角度
content-audio-track-names = 音轨名称
content-audio-track-languages = 音轨语言
content-hdr-metadata = 视频流以外的 HDR 元数据
content-video-packet = 一个 { $size } 字节的视频数据包
content-audio-packet = 一个 { $size } 字节的音频数据包

# H.264 码流
h264-cut-off = 参数集或 slice 不完整
h264-code = 参数集或 slice 中有无效编码
h264-no-nal = 没有 NAL 单元
h264-wrong-nal = NAL 单元的开头应为 { $expected }，实际是 { $header }
h264-length = NAL 单元的长度超出数据范围
h264-range = { $field } 超出范围
media-unsupported = 文件中有 onair 无法读取的内容：{ $what }
media-empty = 文件中没有 onair 可读取的视频或音频

# 播放列表（HLS）
hls-not-a-playlist = 文件开头不是 #EXTM3U
hls-too-long = 长度超过 { $mib } MiB
hls-too-many = 条目超过 { $count } 个
hls-tag = 无法读取标签 { $tag }
hls-no-target-duration = 没有目标时长
hls-empty = 播放列表为空
hls-skipped = 播放列表跳过了 onair 尚未收到的条目
