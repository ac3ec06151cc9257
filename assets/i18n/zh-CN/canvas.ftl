### 画布：缩放、安全区。

# 尽量短：画面显示的大小。
zoom-percent = { $percent }%
zoom-readout = 缩放 { $percent }%：显示整个画布
action-zoom-in = 放大画布
tip-action-zoom-in = 放大显示画布。也可以按住 Ctrl 滚动滚轮。
action-zoom-out = 缩小画布
tip-action-zoom-out = 显示更大范围的画布。
action-zoom-fit = 画布适应窗口
tip-action-zoom-fit = 显示整个画布。
action-zoom-actual = 画布 100%
tip-action-zoom-actual = 输出的每个像素对应屏幕的一个像素。
action-safe-areas = 安全区
tip-action-safe-areas = 显示或隐藏动作与字幕安全框。观众看不到。
