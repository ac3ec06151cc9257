### 画布：缩放、安全区。

# 尽量短：画面显示的大小。
zoom-percent = { $percent }%
zoom-readout = 缩放 { $percent }%，点击可显示整个画布
action-zoom-in = 放大
tip-action-zoom-in = 放大显示画布。也可以按住 Ctrl 并滚动鼠标滚轮。
action-zoom-out = 缩小
tip-action-zoom-out = 显示更大范围的画布。
action-zoom-fit = 适应窗口
tip-action-zoom-fit = 显示整个画布。
action-zoom-actual = 缩放到 100%
tip-action-zoom-actual = 以 1:1 像素显示输出画面。
action-safe-areas = 安全区
tip-action-safe-areas = 显示或隐藏动作安全框和字幕安全框。观众看不到这些框。

### 多视图和投影。

panel-multiview = 多视图
action-multiview = 多视图
tip-action-multiview = 显示或隐藏所有场景的缩略图。
multiview-scene = 场景 { $name }
multiview-empty = 没有来源
multiview-hidden = 所有来源都已隐藏
multiview-down = 无信号
multiview-opening = 正在打开…
multiview-slow = 已暂停：电脑太慢
multiview-program = 场景 { $name }：正在输出
multiview-preview = 场景 { $name }：正在预览
# The state of a scene in the list.
scene-on-air = 直播中
scene-in-program = 正在输出
scene-in-preview = 正在预览
# 画面上的标记，尽量短。
program-mark = 输出
projector-title = { $name } – onair 投影
projector-program = 输出
projector-preview = 预览
projector-on = { $what }：投影到 { $display }
projector-window = { $what }：在窗口中投影
projector-close = 关闭此投影
projectors-restore = 启动时重新打开投影
action-program-display = 全屏投影：输出
tip-action-program-display = 在另一台显示器上打开或关闭输出画面的全屏投影。
action-program-window = 窗口投影：输出
tip-action-program-window = 打开或关闭输出画面的投影窗口。
action-preview-display = 全屏投影：预览
tip-action-preview-display = 在另一台显示器上打开或关闭预览画面的全屏投影。
action-preview-window = 窗口投影：预览
tip-action-preview-window = 打开或关闭预览画面的投影窗口。
action-multiview-display = 全屏投影：多视图
tip-action-multiview-display = 在另一台显示器上打开或关闭多视图（所有场景）的全屏投影。
action-multiview-window = 窗口投影：多视图
tip-action-multiview-window = 打开或关闭多视图（所有场景）的投影窗口。
action-source-display = 全屏投影：所选来源
tip-action-source-display = 在另一台显示器上打开或关闭所选来源的全屏投影。
action-source-window = 窗口投影：所选来源
tip-action-source-window = 打开或关闭所选来源的投影窗口。
action-close-projectors = 关闭所有投影
tip-action-close-projectors = 关闭所有全屏投影和窗口投影。

### 预览和输出之间。

tip-transition-choose = 默认转场：{ $kind }。单独设置了转场的场景除外。
transition-duration-is = 转场：{ $duration }。更改类型和时长…
# 在“转场”标题下方：预览中的场景使用单独的转场。尽量短。
transition-of-scene = 仅此场景
tip-transition-of-scene = “{ $scene }”单独设置了转场，这里的更改只影响此场景。
tip-transition-choose-own = 切换到“{ $scene }”时的转场：{ $kind }。
