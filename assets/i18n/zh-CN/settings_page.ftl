# 设置的各个页面。

settings-search = 搜索设置
settings-page-general = 常规
settings-page-video = 视频
settings-page-audio = 音频
settings-page-output = 输出
settings-page-recording = 录制
settings-page-hotkeys = 快捷键
settings-page-network = 网络
settings-page-about = 关于

setting-reset = 把{ $name }恢复为{ $default }
setting-default = { $name }（默认）
setting-off = 关

setting-language = 语言
setting-language-note = 窗口的语言。你自己起的名称不变。
setting-theme = 配色
setting-theme-note = 深色窗口让视频成为屏幕上最亮的部分。
setting-scale = 界面大小
setting-scale-note = 在桌面缩放之外，再放大或缩小文字和控件。
setting-motion = 减少动画
setting-motion-note = 关闭动画和飞行弹幕。
setting-meter = 电平表回落速度
setting-meter-note = 声音变小后，电平条回落的快慢。

setting-size = 分辨率
setting-size-note = 所有推流目标和录像的画面大小。1280×720 适合大多数网络。
setting-rate = 帧率
setting-rate-note = 30 fps 适合聊天，60 fps 适合游戏和体育。60 fps 的工作量是两倍。
setting-bitrate = 视频码率
setting-bitrate-note = 码率越高越清晰，也越占上行带宽。请留出四分之一的上行带宽。

setting-monitoring = 监听设备
setting-monitoring-note = 在这里听到你监听的音频源。用耳机可避免回声。
setting-push-to-talk = 按键讲话的按键
setting-push-to-talk-note = 按住时打开或静音麦克风。在混音器中启用按键讲话。

setting-encoder = 视频编码器
setting-encoder-note = “自动”会选用本机最好的编码器。

setting-adaptation = 自适应码率
setting-adaptation-note = 网络变慢时降低视频码率，避免丢帧。
setting-keyframes = 关键帧间隔
setting-keyframes-note = 决定新观众多快看到画面。大多数平台要求 2 秒。
setting-audio-format = 音频格式
setting-audio-format-note = 直播的 AAC 音频。默认值适合所有平台。
setting-delay = 直播延迟
setting-delay-note = 观众看到的画面晚这么久。下次开播时生效。

setting-folder = 录像文件夹
setting-folder-note = 保存录像、回放和截图。需要时会自动创建文件夹。
setting-format = 录制格式
setting-format-note = MP4 到处都能播放。MKV 的多条音轨在各种剪辑软件中都能读取。
setting-split = 录像分段
setting-split-note = 到达此时长或大小后无缝写入新文件。
setting-replay = 回放缓存
setting-replay-note = 在内存中保留最后几秒，用按钮或快捷键保存。
setting-replay-always = 始终运行回放缓存
setting-replay-always-note = 编码器会一直运行，与直播时占用同样多的 CPU。
setting-tracks = 音轨
setting-tracks-note = 录像中各音轨的名称，剪辑软件会显示。

setting-hotkeys = 快捷键
setting-hotkeys-note = 点击快捷键，再按下新的按键。不带 Ctrl 或 Alt 的按键只在画布或列表获得焦点时有效。

setting-services = 你自己的平台
setting-services-note = onair 不认识的平台，以及它们的服务器和限制。
setting-services-edit = { $count ->
    [0] 添加平台…
   *[other] 编辑 { $count } 个平台…
}
setting-successor = 接替服务器
setting-successor-note = 内置服务器停止后，支持 Enhanced RTMP 的推流端和播放器会连到这里。

setting-renderer = 渲染
setting-renderer-note = 由什么来绘制窗口。软件渲染更占 CPU。
setting-keys = 推流密钥
setting-keys-note = 密钥从不写入设置、日志或导出的场景。onair 不发送任何使用数据。
setting-version = 版本
setting-version-note = 报告问题时请注明。

limit-video = { $service } 最多允许 { $most } kbps 的视频，所以滑块到此为止。
limit-audio = { $service } 最多允许 { $most } kbps 的音频，所以滑块到此为止。
limit-height = { $service } 最多允许 { $most } 行。
limit-rate = { $service } 最多允许 { $most } fps。
limit-keyframes = { $service } 要求至少每 { $most } 秒一个关键帧。
limit-over = 当前设置超出 { $service } 的限制，平台可能会中断直播。

# 文件选择器。
chooser-folder = 选择文件夹
chooser-file = 选择文件
chooser-files = 选择多个文件
chooser-new = 另存为
chooser-choose = 选择
chooser-save = 保存
chooser-path = 路径
chooser-name = 名称
chooser-all = 所有文件
chooser-up = 上一级文件夹
chooser-home = 主文件夹
chooser-videos = 视频
chooser-reading = 正在读取文件夹…
chooser-unreadable = 无法读取此文件夹：{ $reason }
chooser-empty = 此文件夹中没有可选的内容。
chooser-cut = 内容太多，没有全部显示。请输入路径。
chooser-nothing = 请先选择文件。
chooser-no-name = 请先输入名称。
chooser-exists = 文件已存在。再按一次“保存”即可替换。
chooser-absent = 没有这个文件或文件夹。
chooser-waits = 桌面的文件对话框已打开
chooser-waits-note = 如果没有看到，请使用 onair 自己的文件选择器。
chooser-own = 使用 onair 的选择器
