# 场景集合、配置方案和它们的历史版本；多次启动 onair。与 en 保持同步。

# 名称和名称的问题。
part-name-empty = 请输入名称
part-name-long = 名称最多 { $most } 个字符
part-name-dot = 名称不能以点开头
part-name-character = 名称不能包含 / \ : * ? " < > | 或换行
part-name-taken = “{ $name }”已存在
part-too-many = 场景集合和配置方案最多各 { $most } 个，请先删除一个
part-only-one = 不能删除仅剩的场景集合或配置方案，请先新建一个
part-unreadable = 无法读取“{ $name }”：{ $reason }
part-no-collection = 没有名为“{ $name }”的场景集合，现有：{ $names }
part-no-profile = 没有名为“{ $name }”的配置方案，现有：{ $names }
part-profile-on-air = 直播或录制时不能切换配置方案，请先停止

# 提示。
part-failed = 未做任何更改：{ $reason }
part-imported = 已导入为“{ $name }”
    .cure = 如需切换，请打开“场景集合与配置方案”。
part-exported = 已导出到 { $path }，不含密钥和密码

# 导入。
import-busy = 另一项导入或导出仍在进行，请稍后再试
import-no-profile = 这不是 onair 或 OBS 的配置方案。请选择 .toml 文件，或 OBS 的 basic.ini
obs-profile-no-service = 推流目标（service.json 不存在或无法读取）
obs-profile-service = 推流平台“{ $service }”（onair 没有它的地址）
obs-profile-size = 画面尺寸 { $size }
obs-profile-rate = 帧率 { $rate }
obs-profile-channels = 声道设置 { $channels }（onair 改用立体声）
obs-profile-encoder = 编码器 { $encoder }（onair 会选用本机可用的编码器）
obs-profile-format = 录像格式 { $format }

# 对话框。
action-add-source = 添加来源…
tip-action-add-source = 列出可以添加的所有来源。
action-add-scene = 添加场景
tip-action-add-scene = 新建一个空场景。
action-studio-mode = 打开或关闭工作室模式
tip-action-studio-mode = 在输出旁边显示预览。
action-import-scenes = 导入场景…
tip-action-import-scenes = 导入 onair 或 OBS Studio 的场景。
action-export-scenes = 导出场景…
tip-action-export-scenes = 把场景、来源和混音器保存到文件。
action-parts = 场景集合与配置方案…
tip-action-parts = 列出、导入和恢复场景集合与配置方案。
parts = 场景集合与配置方案
collections = 场景集合
profiles = 配置方案
collections-note = 场景集合包含场景、来源和混音器。直播中切换场景集合，输出的场景也会随之切换。
profiles-note = 配置方案包含画质、推流目标、录制设置和快捷键。直播或录制时不能切换。
parts-not-kept = onair 没有设置文件，因此只有一个场景集合和一个配置方案。
parts-deleted = 已删除
part-in-use = 使用中
part-use = 使用 { $name }
part-use-short = 使用
part-rename = 重命名 { $name }
part-rename-short = 重命名
part-delete = 删除 { $name }
part-new = 新建…
part-duplicate = 创建副本…
part-versions = 历史版本
part-import = 导入…
part-export = 导出…
part-copy-of = { $name } 副本
part-name = 名称
part-name-hint = 周五节目
part-create = 创建
part-back = 返回
collection-new-title = 新建场景集合（含一个场景）
profile-new-title = 新建配置方案（默认画质，没有推流目标）
collection-duplicate-title = 创建当前场景集合的副本
profile-duplicate-title = 创建当前配置方案的副本
part-rename-title = 新名称
collection-delete-title = 删除场景集合“{ $name }”？
profile-delete-title = 删除配置方案“{ $name }”及其推流密钥？
collection-delete-note = 之后可以在列表末尾的“已删除”中恢复。如果此场景集合正在使用，onair 会改用另一个。
profile-delete-note = 之后可以恢复，但推流密钥不能恢复。如果此配置方案正在使用，onair 会改用另一个。
part-delete-yes = 删除
part-keep = 保留
part-scenes = { $scenes } 个场景，{ $sources } 个来源
part-targets = { $targets } 个推流目标，{ $size }，{ $fps } 帧/秒，{ $kbps } kbps
versions-of = “{ $name }”的历史版本
versions-note = 最近十个版本，新的在前。恢复某个版本时，当前内容也会保留为一个版本。
versions-none = 还没有历史版本。更改后，onair 会自动保留一个版本。
versions-no-keys = 恢复后，请重新填写推流密钥。
version-restore = 恢复 { $time } 的版本
version-restore-short = 恢复
version-as-many = { $what }，数量与现在相同
version-differs = { $then }（现在：{ $now }）
profile-import-title = 导入 onair 或 OBS 的配置方案
profile-import-note = 导入 OBS 的配置方案（OBS 中称为“配置文件”）：请打开 OBS 设置文件夹，进入 basic/profiles 中对应的文件夹，选择 basic.ini。
profile-import-key = 同时导入推流密钥
part-choose-file = 选择文件…

# 多次启动 onair、崩溃，以及显示器消失。
instance-shown = onair 已经打开，窗口会切换到最前面
instance-no-window = 与图形桌面的连接已断开，onair 正以无窗口方式运行（进程 { $process }）
    .cure = 请用 kill -INT { $process } 结束直播或录制，再启动 onair。
instance-silent = onair 已经打开（进程 { $process }），但没有响应
    .cure = 请结束该进程，或用 --settings FILE 使用另一份设置。
instance-too-long = onair 已经打开，但要打开的文件名和地址太长，无法传送
    .cure = 请减少每次打开的文件数量。
display-lost-goes-on = 与图形桌面的连接已断开，onair 以无窗口方式继续运行
    .cure = 请按 Ctrl-C，或用 kill -INT { $process } 结束直播或录制。
display-lost-ended = 以无窗口方式继续的直播或录制已结束
display-lost = 与图形桌面的连接已断开，onair 以无窗口方式继续运行。
    .cure = 请在启动 onair 的终端按 Ctrl-C，结束直播或录制。
on-air-interrupted = onair 在向 { $targets } 推流时意外退出。
    .cure = 请点击“恢复直播”，用场景 { $scene } 继续向这些推流目标直播。
remedy-resume = 恢复直播
remedy-port-443 = 改用 443 端口
cli-nothing-to-resume = --resume：没有可恢复的直播
    .cure = 请去掉 --resume。这个参数只在崩溃后使用。
cli-settings-in-use = 另一个 onair 正在使用这份设置
    .cure = 请先关闭另一个 onair，或用 --to 写入文件。
cli-display-gone = 与图形桌面的连接已断开。当时没有直播或录制，因此 onair 已退出
palette-collection = 场景集合
palette-profile = 配置方案
