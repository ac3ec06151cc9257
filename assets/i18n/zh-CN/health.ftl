# 状态句：直播间当前的情况；旁边是原因、下一步，或 .cure 里的办法。与 en 保持一致。

# 直播间在做什么。
activity-ready = 准备就绪
activity-off-air = 未开播
activity-not-ready = 未就绪
activity-connecting = 连接中
activity-on-air = 直播中
activity-reconnecting = 正在重连
activity-recording = 录制中
activity-recording-paused = 已暂停
activity-stopping = 正在结束

# 名称。
health-built-in = 内置服务器
health-unnamed-target = 新推流目标
health-the-server = 服务器

# 一切正常。
health-good = 一切正常。
health-ready = 可以开始直播。
health-connecting = 正在连接服务器。
health-keys-pending = 正在等待密钥环。
    .windows = 正在等待 Windows 凭据管理器。
health-stopping = 正在结束直播。
health-recording = 正在录制，未开播。
health-recording-paused = 录制已暂停。
health-file-opening = 正在打开 { $name }。
health-file-on-air = 本次直播推送的是文件 { $name }。
health-file-instead = 推送的是文件，不是你的场景
health-target = { $name }
health-behind = 观众端延迟 { $time }
health-watching = { $count } 人观看
health-nobody-watches = 内置服务器没有观众
health-smaller = 推送到 { $name } 的画质较低
health-partly-muted = 有音频源被静音
health-delay = 观众看到的画面延迟 { $time }
health-delay-begins = { $time } 后开始推流
health-delay-ending = 正在结束：还有 { $time } 的内容待推送

# 推流目标。
health-no-target = 没有启用任何推流目标。
    .cure = 请在“直播”面板启用一个推流目标。
health-no-server = { $name } 没有服务器地址。
    .cure = 请填写平台提供的推流地址。
health-bad-address = { $name } 的服务器地址无效。
    .cure = 请填写平台提供的推流地址。
health-no-app = { $name } 的推流地址缺少应用名。
    .cure = 请补全地址，如 rtmp://服务器/应用，可在平台开播页面获取，或向服务器管理员索取。
health-no-key = { $name } 没有推流密钥。
    .cure = 请填写推流密钥，可在平台开播页面获取，或向服务器管理员索取。
health-bad-key = { $name }：{ $cause }。
    .cure = 请从平台开播页面重新复制密钥，不要带空格。
health-partly = 正在直播，但 { $name } 未连接。
health-partly-refused = 正在直播，但 { $name } 拒绝推流。请检查推流密钥。
health-refused = 未开播：{ $name } 拒绝推流。请检查推流密钥。
health-partly-ended = 正在直播，但 { $name } 中断了推流。
health-ended = 直播中断：{ $name } 中断了推流。
health-partly-login = 正在直播，但 { $name } 拒绝登录。请检查用户名和密码。
health-login = 未开播：{ $name } 拒绝登录。请检查用户名和密码。
health-partly-app = 正在直播，但 { $name } 拒绝连接。请检查地址中的应用部分。
health-app-refused = 未开播：{ $name } 拒绝连接。请检查地址中的应用部分。
health-partly-says = 正在直播，但 { $name } 拒绝推流，服务器消息：{ $words }
health-says = 未开播：{ $name } 拒绝推流，服务器消息：{ $words }
health-no-answer = 尚未开播：{ $name } 没有回应。
health-not-accepted = 尚未开播：{ $name } 没有接受推流。
health-closes = 正在直播，但 { $name } 已 { $times } 次关闭连接，每次都在 { $seconds } 秒后。推流密钥可能有时限或已过期。
health-not-reached = 尚未开播：无法连接 { $name }。
health-lost = 直播中断：与 { $name } 的连接已断开。
health-stalled = 正在直播，但 { $name } 收不到数据。
health-next-try = { $seconds } 秒后进行第 { $number } 次尝试
health-trying-now = 正在重试
health-check-host = 请检查服务器地址的拼写
health-check-port = 请检查端口，以及服务器是否正在运行
health-recording-goes-on = 录制仍在继续
health-others-too = 另有 { $count } 个推流目标没有连上
health-viewers = 正在直播。{ $name }：{ $what }
viewers-different = 观众看到的不是你的直播。
viewers-unreachable = 无法连接到观看地址。
viewers-no-stream = 观众什么都看不到。
viewers-stalled = 观众端卡顿。
viewers-black = 观众看到的是黑屏。
viewers-frozen = 观众看到的画面静止不动。
viewers-silent = 观众听不到声音。
viewers-late = 观众端延迟过大。
health-dropping = 到 { $name } 的网速不够，正在丢帧。
    .cure = 请降低码率，并检查是否有其他程序占用网络。
health-late = 这台电脑太忙，来不及向 { $name } 发送，正在丢帧。
health-queue = 网速偏慢：待发送的数据积压 { $time }。
    .cure = 如果一直这样，请降低码率。

# 录制。
health-recording-ended = 正在直播，但录制已停止。
health-recording-not-started = 正在直播，但没有在录制。

# 观众看到和听到的。
health-no-video = 还没有画面。
    .cure = 请添加来源，或先用测试画面。
health-scene-empty = 没有画面：场景“{ $scene }”没有显示任何来源。
    .cure = 请添加来源，或显示被隐藏的来源。
health-audio-only = 本次直播只有声音。
health-recording-audio-only = 本次录制只有声音。
health-opening = 正在打开来源。
health-opening-source = 正在打开 { $name }。
health-source-gone = { $name } 没有画面。
    .cure = 来源恢复后，onair 会自动显示 { $name }。也可以选择其他来源。
health-viewers-see-fallback = 来源恢复之前，观众看到的是备用画面或占位画面
health-viewers-hear-fallback = 来源恢复之前，观众听到的是备用声音，或没有声音
health-too-slow = 电脑性能不足：只有 { $fps } 帧/秒，应为 { $wanted } 帧/秒。
    .cure = 请关闭其他程序，或隐藏部分来源。下次请降低分辨率或帧率。
health-slow-drawing = 合成一帧画面需要 { $time }
health-slow-encoding = 编码一帧画面需要 { $time }
health-fewer-filters = 请关闭视频滤镜或其他程序
health-fewer-sources = 请隐藏部分来源，或关闭其他程序
health-smaller-next-time = 请关闭其他程序，或下次降低分辨率
health-audio-gone = { $name } 没有声音。
    .cure = 请检查此音频源，或选择其他音频源。
health-muted = 音频已静音。
    .cure = 输出没有声音，请在混音器中取消静音。
health-no-microphone = 没有声音：未选择麦克风。
    .cure = 请在混音器中选择音频源，或选择“无声”。
health-silent = 没有声音：输出中没有任何音频信号。
    .cure = 请检查麦克风和音量推子。
health-silent-media = 没有声音：输出中没有任何音频信号。
    .cure = 文件或流正在播放，但此刻没有声音。请检查推子，或选择其他音频源。
