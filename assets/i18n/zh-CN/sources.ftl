# 窗口中的场景和来源：左侧面板、添加来源、对来源的操作。与 en 保持一致。

# 没有人取名的来源的名称。
source-camera = 摄像头
source-display = 显示器
source-window = 窗口
source-test-pattern = 测试画面
source-color = 颜色
source-stream = 网络流
source-guest = 嘉宾
source-guest-gone = 该嘉宾的链接已失效
source-browser = 浏览器页面
source-text = 文字

sources-of = 来源：{ $scene }
source-add-row = 添加来源…
source-incomplete = onair 无法使用此来源的部分文件。
source-add-title = 添加来源
add-camera = 摄像头
add-search = 搜索来源
add-search-hint = 搜索：摄像头、文字、窗口…
add-nothing-found = 没有找到匹配的来源。
add-again-advice = 所有场景的来源都会列在这里。
windows-none-advice = 请先打开程序，然后重新查找。
text-first-words = 在此输入文字
placeholder-no-camera = 未找到摄像头
placeholder-no-camera-advice = 请连接摄像头，或先用测试画面。
placeholder-unchosen = 还没有选择视频来源
placeholder-unchosen-advice = 请在左侧选择摄像头或其他来源，或先用测试画面。
placeholder-empty = 此场景是空的
placeholder-empty-advice = 请在左侧添加来源。测试画面随时可用。

item-copy = 复制
item-cut = 剪切
item-paste = 粘贴
item-copy-transform = 复制变换
item-paste-transform = 粘贴变换
drop-to-add = 松开即可添加到场景
add-audio = 添加音频…
