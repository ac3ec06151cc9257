# 命令行输出。
out-ready = 服务器已就绪：{ $addresses }
out-ready-play = 观看地址：{ $addresses }
out-ready-own-certificate = HTTPS 证书（SHA-256）：{ $pin }。证书由 onair 生成，因此浏览器会警告一次。
out-certificate-replaced = 新的客户端现在使用新证书
out-certificate-kept = 新证书无法使用，服务器继续使用旧证书：{ $reason }
out-certificate-issued = 已获得 { $domains } 的新证书
out-certificate-failed = 未能获得 { $domains } 的证书：{ $reason }。{ $minutes } 分钟后重试
    .cure = 证书机构必须能通过该域名访问这台服务器的 443 端口（--https）或 80 端口（--http）。
out-ready-token = HTTP API 的令牌保存在 { $file }
out-remote = 其他程序可通过 { $address } 控制 onair（obs-websocket）
out-remote-password = obs-websocket 密码：{ $password }
out-scene = 场景：{ $name }
out-source = { $track ->
    [video] 视频
   *[audio] 音频
}：{ $name } { $state ->
    [open] 已打开
    [back] 已恢复
    [stalled] 没有数据
    [lost] 已断开
   *[failed] 无法使用
}
out-video-format = { $size }，{ $fps } 帧/秒
out-audio-format = { $rate } Hz，{ $channels ->
    [1] 单声道
    [2] 立体声
   *[other] { $channels }声道
}
out-with = { $what }：{ $more }
out-encoder = { $track ->
    [video] 视频编码器
   *[audio] 音频编码器
}：{ $name } { $profile }，{ $kbps } kbps
out-target = 推流目标 { $url }：{ $state ->
    [connecting] 正在连接
    [live] 直播中
    [reconnecting] 正在重连
    [stopped] 已停止
   *[failed] 失败
}
out-target-stage = { $what }（{ $stage }）
out-target-retry = { $what }；{ $seconds } 秒后重试
out-target-time-over = { $what }；重试时间（--retry-for { $seconds } 秒）已到
out-target-folded = 推流目标 { $url }：同一消息又出现了 { $times } 次
out-guest = 嘉宾 { $id }（{ $name }）：{ $state ->
    [invited] 已邀请
    [lobby] 在候场区
    [on-air] 已上线
    [away] 暂离
   *[left] 已离开
}
out-monitor = { $url } 的观众端监看：{ $state ->
    [ok] 一切正常
    [unsure] 可能正常
    [comparing] 正在比对
    [waiting] 正在等待直播流
    [unavailable] 未检查
    [unreachable] 无法连接
    [no_stream] 没有直播流
    [stalled] 卡顿
    [different] 内容不符
    [black] 黑屏
    [frozen] 画面静止
    [silent] 没有声音
    [late] 延迟过大
   *[wrong_size] 画面规格与设置不符
}
out-monitor-behind = { $what }，延迟 { $seconds } 秒
out-recording = 录制 { $path }：{ $state ->
    [writing] 正在写入
    [paused] 已暂停
    [finished] 已完成
    [deleted] 已删除
   *[failed] 失败
}
out-rendition = { $stream } 的画质档 { $name }：{ $state ->
    [started] 已启动
    [ended] 已结束
   *[refused] 无法启动
}
out-replay = 回放 { $path }：{ $state ->
    [finished] 已保存
    [writing] 正在写入
   *[failed] 失败
}
out-screenshot = 截图 { $path }：{ $state ->
    [finished] 已保存
   *[failed] 失败
}
out-delay-filling = 直播延迟：{ $seconds } 秒后开始推流
out-delay-on = 直播延迟：观众看到的画面延迟 { $seconds } 秒
out-delay-draining = 直播延迟：正在推送剩余的延迟内容
out-chapter = 章节（{ $seconds } 秒）：{ $title }
out-fault = 服务器：对 { $peer } 模拟故障 { $fault }
out-publish = 服务器：{ $peer } 开始推送 { $stream }
out-unpublish = 服务器：{ $peer } 停止推送 { $stream }：{ $reason }
out-join = 服务器：{ $peer } 开始观看 { $stream }
out-leave = 服务器：{ $peer } 停止观看 { $stream }：{ $reason }
out-refused = 服务器：已拒绝 { $peer }：{ $reason }
out-refused-stream = 服务器：已拒绝 { $peer } 访问 { $stream }：{ $reason }
out-callback = 服务器：{ $host } 对 { $stream } 的 { $name } 回调返回 { $status }，用时 { $ms } 毫秒
out-callback-failed = 服务器：{ $host } 没有响应 { $stream } 的 { $name } 回调（{ $reason }，{ $ms } 毫秒）
out-drain = 正在迁移：已请客户端改连 { $url }
out-drain-nowhere = 正在迁移：已请客户端重新连接
out-push = 转发（{ $stream } 推送到 { $url }）：{ $state ->
    [connecting] 正在连接
    [waiting] 正在等待
    [live] 正在转发
    [reconnecting] 正在重连
   *[stopped] 已停止
}
out-pull = 转发（从 { $url } 拉取 { $stream }）：{ $state ->
    [connecting] 正在连接
    [waiting] 正在等待
    [live] 正在转发
    [reconnecting] 正在重连
   *[stopped] 已停止
}
out-health = 状态：[{ $level ->
    [good] 正常
    [info] 提示
    [warning] 警告
   *[error] 错误
}] { $sentence }
out-notice = [{ $level ->
    [info] 提示
    [warning] 警告
   *[error] 错误
}] { $text }
out-ended-encoded = 已结束：编码 { $frames } 帧，退出码 { $exit }
out-ended-sent = 已结束：发送 { $frames } 帧，退出码 { $exit }
out-ended-server = 已结束：{ $publishers } 个推流端，{ $viewers } 位观众
out-serve-checked = 配置有效
out-reloaded = 已重新加载配置
out-reloaded-partly = 已重新加载配置。以下设置需重启服务器后才能生效：{ $names }
out-not-reloaded = 配置未重新加载：{ $reason }
out-ended-streams = 已结束：{ $streams } 路直播流，显示 { $shown } 帧
out-ended-played = 已结束：显示 { $shown } 帧，丢弃 { $dropped } 帧，播放 { $seconds } 秒
out-not-imported = 未导入或有改动：{ $what }
out-scenes = 场景：{ $names }
out-strips = 音频源：{ $names }
out-cameras = 摄像头
out-microphones = 麦克风
out-speakers = 扬声器
out-applications = 应用程序
out-displays = 显示器
out-windows = 窗口
out-encoders = 编码器
out-decoders = 解码器
out-no-camera = 没有找到：请连接摄像头，或使用 --video test
out-plugins = 音频插件（CLAP）
out-plugin-none = 在 CLAP_PATH、~/.clap、/usr/lib/clap 和 /usr/local/lib/clap 文件夹中没有找到
out-plugin-no-effect = 不是音频效果
out-none-found = 没有找到
out-none-plays = 没有正在播放声音的程序
out-none = 无：{ $reason }
out-default = 默认
out-main-display = 主显示器
out-minimized = 已最小化
out-asks = 每次都会询问
out-dialog-gives = 在系统弹窗中选择
out-no-single-windows = 当前桌面环境只能共享整个显示器
out-program = 程序 { $name }
out-control-range = { $least } 到 { $most }，步长 { $step }
out-control-switch = 0 或 1
out-encoder-speed = 1280x720 下每秒 { $fps } 帧
out-unavailable = 不可用：{ $reason }
out-none-for = 没有 { $codecs } 的解码器：{ $reason }
out-ffmpeg = FFmpeg 库：{ $version }
out-ffmpeg-none = FFmpeg 库：无（{ $reason }）
out-hardware = 硬件：{ $name }
out-hardware-none = 硬件：无（{ $reason }）
out-probing = 正在读取…
out-checking = 正在检查…
out-remux = { $path }：{ $how ->
    [whole] 文件完整，无需修复
    [in-place] 已修复
   *[copied] 已写入
}（时长 { $seconds } 秒，{ $packets } 个数据包）
out-left-out = { $what }，不含 { $tracks }
out-next-port = { $reason }；改用下一个端口
out-redirected = 重定向到 { $url }
out-redirected-no-login = 重定向到 { $url }，主机不同，因此不发送登录信息
out-answers = { $url }：{ $secure ->
    [yes] 有响应，连接已加密
   *[no] 有响应
}。没有推送任何内容。开播时才会验证密钥。
