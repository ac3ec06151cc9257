# 观众端监看发现的问题（src/studio/live/monitor）。与 en 保持同步。

monitor-cause-ended = 服务器上的直播流已经结束
monitor-cause-nothing = 自 { $time } 起没有收到任何内容
monitor-cause-slow = 接收数据的速度只有播放速度的 { $percent }%
monitor-cause-different = 收到的直播流与 onair 最近 { $seconds } 秒推送的内容不一致
monitor-cause-late = 延迟 { $seconds } 秒
monitor-cause-black = 自 { $time } 起黑屏
monitor-cause-no-video = 自 { $time } 起只有声音，没有画面
monitor-cause-frozen = 自 { $time } 起画面静止
monitor-cause-silent = 自 { $time } 起没有声音
monitor-cause-no-audio = 自 { $time } 起只有画面，没有声音
monitor-cause-no-audio-at-all = 自 { $time } 起没有音频
monitor-cause-size = 收到的是 { $size }、{ $fps } 帧/秒，应为 { $wanted }、{ $wanted_fps } 帧/秒
monitor-unsure = 画面几乎没有变化，声音静音或一直重复，无法确认是不是你的直播
monitor-service = { $service } 的直播不能用推流地址观看
monitor-no-play-url = 此目标只接收直播流，请填写观众的观看地址
