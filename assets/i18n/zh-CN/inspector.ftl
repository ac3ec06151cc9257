# 设置 › 输出
output-usual = 默认：{ $value }
output-on-air = 直播或录制中不能更改关键帧间隔和音频格式。

# 画质弹窗
quality-size = 分辨率
quality-rate = 帧率

# 右侧面板
tab-broadcast = 直播
tab-chat = 聊天
chat-studio-none = 还没有聊天消息
chat-studio-advice = 内置服务器运行时，这里会显示观众的聊天消息。如果你正在观看的直播有聊天，消息也会显示在这里。
chat-studio-open = 打开“观看”页

# 推流目标
target-off = 已停用
target-lacks-server = 请填写推流地址
target-lacks-app = 请在推流地址中补上应用名
target-lacks-key = 请填写推流密钥
target-bad-server = 请改正推流地址
target-bad-key = 请改正推流密钥
target-key-keyring = 密钥保存在密钥环中
    .windows = 密钥保存在凭据管理器中
target-key-file = 密钥已保存在文件里
target-key-forgotten = 密钥仅在本次运行中有效
target-key-none = 不需要推流密钥
target-reconnects = 只有这个推流目标会重连，其他目标继续直播。
target-apply = 应用并重连
target-discard = 放弃修改
ready-targets = { $count ->
    [0] 没有推流目标
   *[other] { $count } 个推流目标
}
tip-ready-targets = 已启用的推流目标都有地址和密钥。
tip-not-ready-targets = 没有启用任何推流目标，或有推流目标缺少地址或密钥。

# 属性面板
tab-inspector = 属性
inspector-nothing = 未选中任何项目
inspector-nothing-advice = 在列表中或画布上点击一个来源，这里会显示它的属性。
inspector-several = 还选中了 { $count } 个来源，这里的修改只影响当前显示的来源。
inspector-place = 位置和大小
inspector-transitions = 显示或隐藏时
inspector-filters-of-scene = 这些滤镜作用于整个场景，无论它在哪里显示。
inspector-locked = 已锁定。先在列表里解锁，才能移动。
inspector-crop = 裁剪
inspector-filters = 滤镜
crop-mark-left = 左
crop-mark-right = 右
crop-mark-top = 上
crop-mark-bottom = 下

# 混音器
mixer-settings-of = { $name } 的音频设置
monitoring-is-off = 监听：关

# 面板和布局
panel-sources = 场景和来源
panel-program = 输出
panel-mixer = 混音器
panel-loudness = 响度
panel-danmaku = 弹幕
panel-stats = 统计
panel-event-log = 事件记录
panel-players = 播放器
panel-controls = 控制按钮
panel-close = 隐藏 { $name }
panel-window = 在独立窗口中打开 { $name }
panel-move = 移动 { $name }
move-tab = 设为最后一个标签页
move-left = 放到左侧
move-right = 放到右侧
move-above = 放到上方
move-below = 放到下方
layout-simple = 简洁
layout-studio = 导播
layout-monitor = 监看
layout-is = 布局：{ $name }
layout-arrange = 调整面板
layout-arrange-second = 拖动标签可移动面板
layout-reset = 恢复默认布局
layout-delete = 删除这个布局
layout-name = 将当前布局另存为
layout-name-hint = 名称
layout-save = 保存
layout-taken = 这个名称已被占用。
layout-full = 布局数量已达上限，请先删除一个。
action-layout-simple = 布局：简洁
tip-action-layout-simple = 显示场景、输出和混音器，右侧显示一个面板。
action-layout-studio = 布局：导播
tip-action-layout-studio = 显示预览、输出、垂直音量推子、聊天和统计。
action-layout-monitor = 布局：监看
tip-action-layout-monitor = 显示播放器、混音器、输出和直播面板。
action-layout-reset = 重置布局
tip-action-layout-reset = 把当前布局的所有面板放回原来的位置。
action-layout-delete = 删除布局
tip-action-layout-delete = 删除当前的自定义布局，并切换到“简洁”布局。
action-arrange-panels = 调整面板
tip-action-arrange-panels = 在每个面板上显示标签，用来移动、隐藏面板，或在独立窗口中打开。
take = 切换
t-bar = 手动转场推杆
tip-t-bar = 拖动即可手动把预览混入输出。拖到右端即完成切换。
panels-too-deep = 面板嵌套超过 { $most } 层
panels-unclosed = 缺少逗号或括号
panels-unknown = 没有“{ $name }”面板
panels-size = 尺寸必须是 *，或 { $least } 到 { $most } 点
panels-no-controls = 缺少 controls 面板
panels-controls-tab = controls 面板不能放在标签页中
panels-twice = 有面板重复出现
panels-missing = 没有“{ $name }”布局
stats-encode = 编码
stats-draw = 合成
stats-skipped = 跳帧 · 丢帧
stats-av-offset = 音频偏移
stats-drift = 时钟偏差
stats-frame-time = 最近十分钟的帧耗时
stats-bitrate = 最近十分钟的码率
tip-stats-encode = 编码一帧的平均用时。正常：小于帧间隔的一半。
tip-stats-draw = 用各来源合成一帧的平均用时。正常：小于帧间隔的一半。
tip-stats-skipped = 跳帧：电脑太忙。丢帧：网速不够。正常：0。
tip-stats-av-offset = 观众端音频比画面滞后多少，由观众端监看测得。正常：40 毫秒以内。
tip-stats-drift = 主音频设备的时钟与系统时钟之差，onair 会自动校正。正常：100 ppm 以内。
tip-stats-bitrate = 最近十分钟的码率。横线是所选的码率。
tip-stats-frame-time = 合成并编码一帧的用时。横线是每帧允许的最长用时。
