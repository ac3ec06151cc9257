# “录像”页面。
recordings-search = 搜索录像
recordings-folder-free = { $folder } · 可用空间 { $free }
recordings-choose-folder = 选择录像文件夹
recordings-reading = 正在读取文件夹…
recordings-unreadable = onair 无法读取录像文件夹。
recordings-none = 还没有录像
recordings-none-cure = 请先在“工作台”录制，或选择存放录像的文件夹。
recordings-none-found = 没有匹配的录像。
recordings-more = 另有 { $count } 个更早的录像未列出。
recordings-list-more = 显示更多
recordings-waiting = 正在读取…
recordings-changing = 正在写入
recordings-changing-long = 此文件正在写入，完成后会显示详细信息。
recordings-damaged = 无法读取
recordings-audio-tracks = { $codec } × { $count }
recordings-choose = 选择一个录像，查看详细信息。
recordings-length = 时长
recordings-size = 大小
recordings-video = 视频
recordings-audio = 音频
recordings-channels = { $count ->
    [1] 单声道
    [2] 立体声
   *[other] { $count } 声道
}
recordings-unfinished = 此录像未正常结束。
recordings-repair = 修复
tip-recordings-repair = 让文件在任何播放器里都能播放和跳转，已写入的内容全部保留。
recordings-repaired = { $name } 已修复。
recordings-whole = { $name } 完整，无需修复。
recordings-name = 名称
recordings-play = 播放
recordings-show = 在文件夹中显示
recordings-rename = 重命名
recordings-trash = 移到回收站
recordings-trash-ask = 将 { $name } 移到回收站？
recordings-copy = 剪辑或转换格式
recordings-from = 开始时间
recordings-to = 结束时间
recordings-rail = { $name }（时间轴）
recordings-keyframe = 副本从 { $time } 处的关键帧开始。
recordings-format = 文件格式
recordings-save-copy = 另存副本
recordings-copy-hint = 请选择一段内容或其他格式。onair 直接复制，不重新编码，画质和音质不变。
recordings-time-wrong = 请输入时间，例如 1:05.5 或 0:20。
recordings-empty-part = 结束时间必须晚于开始时间。
recordings-copying = 正在保存副本 { $name }：{ $percent }%
recordings-stop-copy = 停止复制
recordings-busy = onair 正在处理另一个录像。
    .cure = 请等待完成，或停止复制。
recordings-trashed = { $name } 已移到回收站。
recordings-not-trashed = 无法将 { $name } 移到回收站：{ $reason }
recordings-no-trash = 这个文件夹无法使用回收站
    .cure = 请在文件管理器里删除这个文件。
recordings-copied = { $name } 已保存：{ $seconds } 秒，未重新编码。
recordings-renamed = 录像已重命名为 { $name }。
recordings-not-renamed = 无法重命名 { $name }：{ $reason }
recordings-name-empty = 请输入名称。名称不能以点开头。
recordings-name-long = 名称过长。
recordings-name-characters = 名称不能包含 /、\ 和控制字符。
recordings-shown = 已在文件管理器中显示 { $name }。
recordings-not-shown = 录像保存在 { $folder }。{ $reason }
recordings-no-manager = 没有可用的文件管理器。
remedy-recording = 查看录像

# 直播结束后的卡片。
ended-title = 直播已结束
ended-duration = 直播时长
ended-hosts = 推流目标
ended-viewers = 内置服务器最高在线人数
ended-dropped = 丢帧
ended-skipped = 跳帧
tip-ended-skipped = 因电脑太忙而跳过、观众没有看到的帧数。正常：0。
ended-reconnects = 重连次数
ended-recording = 录像
tip-ended-viewers = 最高同时在线人数。直播平台的观众数请在平台后台查看。
ended-close = 关闭摘要
