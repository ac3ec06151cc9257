# 直播流或文件无法播放的原因（src/player、src/decode），以及 .cure 中的解决办法。与 en 保持同步。

# 文件
play-unreadable = 无法读取 { $path }：{ $reason }
    .cure = 请检查文件名，或填写 rtmp://服务器/应用/流名 这样的地址。
play-unplayable = 无法播放 { $place }：{ $reason }
    .cure = onair 可播放 FLV、MP4、MKV、WebM、MP3、FLAC、Ogg、AAC 和 WAV 文件；有 FFmpeg 库时还可播放 HEVC、AV1、VP9、VP8、AC-3 等。其他文件请先转换，例如用 ffmpeg。
play-not-flv = 无法播放 { $path }：{ $reason }
    .cure = 请使用 FLV、MP4、MKV、WebM、MP3、FLAC、Ogg、AAC 或 WAV 文件。其他文件请先转换，例如用 ffmpeg。
play-no-clip = 无法播放 { $path }：{ $reason }
    .cure = 请使用 H.264 视频片段、动态 WebP、GIF 或 PNG，或一个图片文件夹。
play-clip-without-video = 文件中没有视频
play-nothing-in = { $place } 中没有视频和音频
    .cure = 请检查文件是否完整。
play-empty-file = 文件中没有可播放的视频或音频
    .cure = 请检查文件是否完整。
play-cannot-write = 无法写入 { $path }：{ $reason }
play-dump-changed = 已停止写入 { $path }：音频格式已改变，而一个 WAV 文件只能有一种格式
    .cure = 文件包含格式改变前的音频。要保留全部音频，请保存直播流（命令行：--save）。
play-nothing-to-record = 直播流已结束，没有可录制的内容
play-interrupted = 还没有收到视频或音频就已中断
play-no-threads = 系统无法创建更多线程：{ $reason }
    .cure = 请关闭其他程序后重试。
play-source-unplayable = 无法播放 { $name }：{ $reason }
play-source-stopped = { $name } 已停止
play-source-ended = { $name } 已结束
play-source-lost = 与 { $name } 的连接已断开

# 流的内容
play-empty-stream = 直播流中没有可播放的视频或音频
    .cure = 请检查直播流的名称，以及直播是否正常。
play-no-parameter-sets = 视频缺少参数集（SPS 和 PPS）
    .cure = 请让主播重新开播。
play-config-too-long = 解码参数有 { $bytes } 字节，onair 最多支持 { $kib } KiB
    .cure = 请让主播检查编码器。
play-video-not-shown = 没有画面：{ $reason }
    .cure = 请让主播使用 8 位、4:2:0、逐行的 H.264 视频。有 FFmpeg 库时可播放更多格式。命令 onair devices 会列出解码器。
play-cannot-decode = 直播流或文件使用 { $codec }，onair 无法解码
    .cure = 请让主播使用 H.264 视频和 AAC 音频；也可用命令 onair play URL --save FILE.flv 保存直播流，再用其他程序播放。媒体文件可以先用 ffmpeg 等程序转换。
play-no-decoder = 直播流或文件使用 { $codec }，onair 无法解码：{ $reason }
    .cure = { $cure }也可以让主播使用 H.264 视频和 AAC 音频，或用命令 onair play URL --save FILE.flv 保存直播流，再用其他程序播放。媒体文件可以先用 ffmpeg 等程序转换。
play-ended = 直播流已结束
play-waiting = 直播流已结束，正在等待恢复

# 直播流和服务器
play-bad-web-url = 这不是直播流的地址：{ $reason }
    .cure = 请写成 http://服务器/路径/流名.flv，或填写文件名。
play-bad-url = 这不是直播流的地址：{ $reason }
    .cure = 请写成 rtmp://服务器/应用/流名、http://服务器/路径/流名.flv，或填写媒体文件名。
play-connection-settings = 连接设置有误：{ $reason }
    .cure = 请检查连接设置中的代理、本机地址和端口。
play-cure-web-port = 请检查地址和端口，以及服务器是否在运行。http:// 使用 80 端口，https:// 使用 443 端口。
play-nothing-came = { $seconds } 秒没有收到数据
    .cure = 请检查网络连接，以及直播是否仍在继续。
play-silent = { $seconds } 秒内没有视频和音频，可能没有这个直播流
    .cure = 请检查地址，并确认正在直播。
play-asked-to-reconnect = 服务器要求重新连接
play-asked-to-reconnect-because = 服务器要求重新连接：{ $words }
play-opening-slow = 等待 { $server } 的{ $awaited }超时（{ $seconds } 秒）
    .cure = 服务器或网络太慢。请稍后再试，或换用该直播流的其他地址。
play-request-slow = { $server } 在 { $seconds } 秒内没有发送完{ $awaited }
    .cure = 请检查网络连接，并查看服务器日志。
play-request-stalled = onair 向 { $server } 请求{ $awaited }，但 { $seconds } 秒内几乎没有收到数据
    .cure = 请检查网络连接，并查看服务器日志。
play-awaited = { $what ->
    [dns] 域名解析
    [tcp] 连接
    [tls] 安全连接
    [handshake] 握手
    [connect] 连接请求的应答
    [play] 直播流
    [request] 响应
    [playlist] 播放列表
    [segment] 分片
    [init] 流头信息
    [key] 解密密钥
   *[media] 视频或音频
}
play-server-damaged = 服务器发来的数据已损坏：{ $reason }
    .cure = 请检查服务器，或用其他格式播放此直播流。
play-sends-nothing = 服务器没有发来任何内容
    .cure = 请检查地址，并确认正在直播。
play-sends-page = 服务器发来的是网页，不是直播流
    .cure = 请使用直播流本身的地址。它通常以 .flv 或 .m3u8 结尾，可在网页源代码或网络日志中找到。
play-whep-or-dash = onair 不支持播放 WHEP 和 DASH
    .cure = 请改用此直播流以 .flv 或 .m3u8 结尾的地址。
play-unknown-type = 服务器发来的是 { $type }，onair 无法播放
    .cure = 请检查地址。http 和 https 可播放 FLV、HLS、MPEG-TS、MP4、MKV、WebM、MP3、FLAC、Ogg、AAC 和 WAV，ws 和 wss 可播放 FLV。
play-unknown-data = 服务器发来的数据格式未知
    .cure = 请检查地址。http 和 https 可播放 FLV、HLS、MPEG-TS、MP4、MKV、WebM、MP3、FLAC、Ogg、AAC 和 WAV，ws 和 wss 可播放 FLV。

# Web 服务器上的录像
play-file-changed = 播放期间，服务器上的文件发生了变化
    .cure = 请从头重新播放。
play-needs-range = 接下来要播放的内容在文件的其他位置，但服务器只支持从头下载文件
    .cure = 请使用支持范围请求的服务器，或把索引移到文件开头，例如用 ffmpeg -c copy -movflags +faststart。
play-index-at-end = 此 MP4 的索引（moov）在文件末尾，但服务器只支持从头下载文件
    .cure = 请使用支持范围请求的服务器，或把索引移到文件开头，例如用 ffmpeg -c copy -movflags +faststart。
play-recording-gone = 服务器上已没有此录像：{ $cause }
    .cure = 请到其他地址查找该录像。
play-recording-refused = 服务器不提供录像的其余部分：{ $cause }
    .cure = 请从头重新播放，或稍后再试。如果仍不行，请联系服务器管理员。
play-recording-broken-off = 录像播放中断，服务器无法从中断处继续
    .cure = 请从头重新播放。
play-seek-refused = 服务器不提供跳转位置的数据
play-seek-from-start = 服务器只支持从头播放，无法跳转
play-seek-slow = 服务器在 { $seconds } 秒内没有发来跳转位置的内容
play-seek-over = 跳转已中断

# 播放列表（HLS）
play-playlist-unreadable = 无法读取播放列表：{ $reason }
    .cure = 请检查地址。如果地址正确，请联系主播。
play-playlist-nested = 播放列表中只有其他播放列表
    .cure = 请检查地址。如果地址正确，请联系主播。
play-playlist-slow = 没有及时收到播放列表
play-playlist-too-long = 播放列表太长
play-playlist-stale = 播放列表已有 { $seconds } 秒没有更新
    .cure = 请检查直播是否仍在继续。
play-playlist-gaps = 播放列表已连续 { $seconds } 秒只列出缺失的分片
    .cure = 请稍后再试。如果仍不行，请联系主播。
play-playlist-bad-url = 播放列表中的地址无法使用：{ $reason }
    .cure = 请检查地址。如果地址正确，请联系主播。
play-playlist-without-tls = 播放列表使用 TLS，但此地址没有使用 TLS
play-playlist-websocket = 这是 WebSocket 地址
play-audio-slow = 没有及时收到新的音频
play-segments-empty = 播放列表的分片中没有可播放的视频或音频
    .cure = 请让主播使用 H.264 视频和 AAC 音频。
play-segment-is-page = 播放列表中有一个分片是网页
    .cure = 请检查服务器：获取分片可能需要登录或令牌。
play-segment-unknown = 播放列表中有一个分片既不是 MPEG-TS，也不是 MP4
    .cure = 请检查服务器：获取分片可能需要登录或令牌。
play-segment-unplayable = 播放列表中有一个分片无法播放：{ $reason }
    .cure = 请让主播使用 H.264 视频和 AAC 音频。
play-segment-encrypted = 直播流已加密，但播放列表中没有密钥
    .cure = 只有直播平台自己的播放器能解密，请到平台的网页上观看。
play-segment-damaged = 加密的分片已损坏，或密钥不正确
    .cure = 请重试。如果仍不行，请联系主播。
play-key-length = 直播流的解密密钥为 { $bytes } 字节，应为 16 字节
    .cure = 服务器可能需要登录。请使用带令牌的地址。
play-protected = 直播流受保护（DRM）
    .cure = 只有直播平台自己的播放器能解密，请到平台的网页上观看。
play-protected-by = 直播流受 { $system } 保护（DRM）
    .cure = 只有直播平台自己的播放器能解密，请到平台的网页上观看。

# 聊天和扬声器
chat-not-websocket = 聊天地址要以 ws:// 或 wss:// 开头
chat-bad-address = 聊天地址无效：{ $reason }
chat-ended = 服务器关闭了聊天
chat-no-channel = 频道“{ $channel }”没有回应
    .cure = 请检查频道名称。
chat-silent = 聊天不再回应
chat-needs-key = YouTube 只接受带有 API 密钥的请求
    .cure = 请在 Google Cloud 控制台为 YouTube Data API v3 创建密钥，填入设置的 *网络* 页。在命令行，设置变量 ONAIR_YOUTUBE_KEY，或把 ONAIR_YOUTUBE_KEY_FILE 设为密钥文件的路径。
chat-not-live = 视频“{ $channel }”没有直播聊天
    .cure = 请检查视频地址。视频开播之前，onair 会反复重试。
chat-key-file = 无法读取 { $path } 中的密钥：{ $reason }
chat-bad-key = { $name } 中的密钥过长，或包含控制字符
chat-refused-by = 平台拒绝：“{ $words }”
speaker-silent = 没有响应
speaker-unavailable = 无法打开

# onair play 的输出
play-playing = 正在播放。
play-lost = 已断开：{ $cause }。{ $seconds } 秒后重试。
play-over = 播放已结束。
play-no-chat = 无法加入聊天：{ $cause }。
play-awaits-data = 正在等待视频或音频。
play-no-frame = 没有视频
play-figures = { $size } { $fps } 帧/秒 · { $kbps } kbps · 缓冲 { $buffer } 毫秒 · 丢帧 { $dropped } · 缓冲不足 { $underruns } 次
play-latency = 延迟 { $ms } 毫秒
play-no-snapshot = 没有显示过画面，因此没有截图
play-no-commands = 无法读取命令：{ $reason }
