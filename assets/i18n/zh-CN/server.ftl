# 内置服务器拒绝客户端的原因、客户端离开的原因，以及直播录像的情况（src/server）。发给客户端的文字用英文。与 en 保持同步。

denied-no-name = 直播流名称为空。
denied-address = 客户端的地址没有{ $action ->
    [publish] 推流
   *[play] 观看
}权限。
denied-no-key = 需要{ $action ->
    [publish] 推流密钥
   *[play] 观看密钥
}或令牌。
denied-wrong-key = { $action ->
    [publish] 推流密钥
   *[play] 观看密钥
}错误。
denied-too-often = 同一地址输错{ $what ->
    [passwords] 密码
    [tokens] 令牌
   *[keys] 密钥
}的次数太多，请在 { $seconds } 秒后重试。
denied-callback = 不允许{ $action ->
    [publish] 推送
   *[play] 观看
}这路直播。
denied-no-callback = 服务器现在无法验证，请稍后重试。
denied-wrong-token = 令牌错误
denied-wrong-password = 用户名或密码错误。
denied-no-password = 推流需要用户名和密码。
denied-taken = 已有人用这个名称推流。
denied-full = 服务器上的直播流太多。
denied-app-full = 此应用已有 { $most } 路直播，达到上限。
denied-too-many-viewers = 服务器上的观众太多，或等待开播的观众太多。
denied-stream-full = 这路直播已有 { $most } 位观众，达到上限。
denied-address-full = 来自同一地址的观众太多。
denied-too-many-connections = 服务器的连接数已达上限，或来自该地址的连接数已达上限。
token-malformed = 无法读取令牌。
token-algorithm = 令牌使用了不允许的签名算法。
token-signature = 令牌的签名与这台服务器的密钥不符。
token-no-keys = 服务器未能获取该令牌的公钥，现在无法验证，请稍后重试。
token-without-end = 令牌没有过期时间。
token-expired = 令牌已过期。
token-not-yet = 令牌还没有生效。
token-other-server = 令牌用于其他服务器。
token-other-stream = 令牌用于其他直播。
token-other-action = 令牌不允许这个操作。
token-other-address = 令牌只允许其他地址使用。

# 回调没有响应。
callback-late = { $time } 内没有响应
callback-paused = 请求失败，已暂停发送
callback-full = 等待的请求太多

# What is unusual about a publisher's stream.
odd-no-video-config = 视频缺少参数集，只有 RTMP 和 FLV 观众能收到视频。
    .cure = 请让编码器发送解码配置，或在每个关键帧前发送参数集。
odd-video-config-in-band = 编码器只在视频数据中发送参数集。onair 已补上解码配置。
odd-annex-b = 编码器以 Annex B 格式发送视频，RTMP 不允许这种格式。onair 已转换。
odd-no-audio-config = AAC 音频缺少配置，只有 RTMP 和 FLV 观众能收到音频。
    .cure = 请让编码器发送 AAC 配置，或换用其他编码器。
odd-audio-config-derived = AAC 音频缺少配置。onair 已根据音频数据推算出配置。
odd-times-moved = 一条轨道的时间戳与直播不一致。onair 已调整该轨道。

# 推流端和观众离开的原因。
left-guest-removed = 演播室已收回你的席位
meeting-url = 请填写 onair 服务器的 HTTPS 地址，例如 https://live.example.com
meeting-full = 服务器不再接受更多演播室
meeting-no-onair = 该地址不是可供嘉宾与演播室会合的 onair 服务器
meeting-no-key = 密钥环或密钥文件中缺少该服务器的密钥
    .windows = Windows 凭据管理器或密钥文件中缺少该服务器的密钥
meeting-silent = 服务器已有 15 秒没有发来任何数据
meeting-closed = 服务器关闭了连接
left-unpublished = 推流端停止推流
left-stopped = 已停止播放
left-finished = 正常结束
left-published-again = 重新推流
left-played-again = 重新播放
left-closed = 对方关闭了连接
left-quiet = 对方不再发送请求
left-operator = 被管理员断开
left-player = 播放器结束播放
left-key-changed = 观看密钥已更换
left-publisher-gone = 推流已结束
left-moved = 直播已转到另一台服务器
left-replaced = 被同一推流端的新连接取代
left-bitrate = 码率超过此应用的上限（{ $kbps } kbit/s）。
left-size = 视频为 { $size } 像素，此应用的上限为 { $most }。
left-config-changes = 解码参数更换得太频繁（最多连续 { $count } 次，之后每秒 1 次）
left-configs-too-large = 解码参数太大
left-too-many-files = 推流产生的录像文件太多（每秒最多 1 个）
left-recording-deleted = 录像已被删除
left-recording-unplayable = 无法播放录像
left-too-many-recordings = 正在观看的录像太多
left-server-stopped = 服务器已关闭
left-evicted = 连接已让给其他客户端
left-connection-lost = 连接中断：{ $reason }
left-stalled = 对方不再接收数据
left-flooded = 对方请求了数据，却不读取
left-silent = 对方不再发送数据
left-fault = 模拟的故障：{ $fault }
left-handshake = 握手失败：{ $reason }
left-protocol = 客户端的数据不符合协议：{ $reason }
left-handshake-late = 客户端没有及时完成握手
left-command-late = 客户端没有及时推流或播放
left-impatient = 客户端不等响应就发送了太多数据
left-asks-too-much = 客户端请求的数据太多，来不及读取
left-session-over = 会话已结束
left-relay-ended = 转发已结束
left-relay-lost = 转发已中断：与对方服务器的连接已断开
left-relay-unpublished = 对方服务器上的推流端已停止推流
left-webrtc-moved = WebRTC 端口已更换
left-not-connected = 没有连接成功
left-disconnected = 连接中断
left-broken = 连接出错
left-unreadable = 无法处理对方的数据
left-too-many-viewers = 观众太多
left-other-codec = 直播更换了编码格式
left-b-frames = 直播含有 B 帧
left-publisher-b-frames = 视频含有 B 帧，而 WebRTC 不支持
left-rendition-ended = 服务器已停止提供这一档画质
left-unexpected = 意外的错误

# 直播的录像。
recorded-too-many = 已有 { $count } 个文件正在写入
recorded-nothing = 没有收到可以录制的内容
recorded-no-more-files = 磁盘无法再创建文件（与文件大小无关）
recorded-folder-full = 文件夹中已有 { $count } 个文件
recorded-too-often = 推流开始得太频繁：每个直播流每秒最多新建 1 个文件
recorded-too-slow = 磁盘太慢
recorded-with-losses = 磁盘太慢：丢失了 { $count } 个视频帧或音频包
recorded-without-video = 视频恢复后无法创建新文件：缺少 { $count } 个视频帧
recorded-no-disk = 磁盘 { $seconds } 秒没有响应
recorded-old = 超过保留时间
recorded-too-large = 录像占用的空间超过上限
recorded-deleted = 被管理员删除
