# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of the plugin, in English and in Chinese; the command brings its own."""

from __future__ import annotations

__all__ = ["WORDS", "language_of", "translate"]

WORDS = {
    # Algorithms
    "Check flights": "检查影像",
    "Align two flights": "两期影像配准",
    "Detect suspects between two flights": "两期比对，列出疑似图斑",
    "Inventory of one flight": "单期清查",
    "Export lists by township or team": "按镇街或班组导出清单",
    "Says what is wrong or doubtful with one flight or two: each finding goes to the log, and to"
    " the report. Fails where a flight cannot be used.": (
        "说明一期或两期影像有何错误或可疑之处：逐条写入日志和报告。影像无法使用时，算法失败。"
    ),
    "Measures how the later flight lies against the earlier one and writes a report, the"
    " displacement field and the ties; the later flight moved onto the earlier one, too, if"
    " wanted.": (
        "测量后期影像相对前期的偏移，输出报告、位移场和连接点；需要时同时输出配准到前期地面上的后期影像。"
    ),
    "Compares two flights over the same ground and lists the structures that appeared or grew and"
    " that no permit covers.": ("比对同一地块的两期影像，列出新增或增大且没有许可的建筑。"),
    "Lists what stands in one flight and no permit covers, and the permits on which nothing"
    " stands.": ("列出单期影像中没有许可的现有建筑，以及批而未建的许可。"),
    "Makes the lists, sheets and files for the field out of a folder of results, one bundle for"
    " each township, community, cell or team.": (
        "由结果文件夹生成外业清单、核查单和导航文件，按镇街、社区、网格或班组分包。"
    ),
    # Parameters
    "Earlier flight": "前期影像",
    "Later flight": "后期影像",
    "Flight": "影像",
    "{name}, a folder of tiles": "{name}（图块文件夹）",
    "Surface model of the earlier flight": "前期数字表面模型（DSM）",
    "Surface model of the later flight": "后期数字表面模型（DSM）",
    "Surface model of the flight": "数字表面模型（DSM）",
    "Day of the earlier flight": "前期航摄日期",
    "Day of the later flight": "后期航摄日期",
    "Day of the flight": "航摄日期",
    "Permits": "建设许可图层",
    "Townships and streets": "镇街图层",
    "Communities and villages": "社区（村）图层",
    "Cells of the unit grid": "单元网格图层",
    "Protected ground": "保护用地图层",
    "Area to report on": "核查范围图层",
    "Smallest area reported, square metres": "最小上报面积（平方米）",
    "Points that carry the permits to the ground": "许可坐标的控制点",
    "Encoding of the layers' text, such as GBK": "图层文字编码，例如 GBK",
    "CRS of files that state none": "未注明坐标系的文件所用坐标系",
    "CRS of the layers, whatever they say of themselves": "强制指定图层坐标系",
    "Value that means no picture": "无影像区域的像素值",
    "Refuse layers with flawed rows": "图层有问题行时拒绝使用",
    "How exactly to align": "配准精度",
    "As in the settings": "按设置",
    "As detection needs it (standard)": "满足检测（标准）",
    "As exactly as the pictures allow (precise)": "影像所能达到的最高精度（精确）",
    "Largest offset to look for, metres": "最大搜索偏移（米）",
    "Saved alignment (field.tif)": "已保存的配准（field.tif）",
    "Go on although alignment is refused": "配准被拒绝时仍继续",
    "Tolerance where nothing can be measured, metres": "无法测量处的容差（米）",
    "Other detector (ONNX model)": "其他检测模型（ONNX）",
    "Evidence made elsewhere": "外部证据栅格",
    "Settings file (TOML)": "设置文件（TOML）",
    "Processes": "进程数",
    "Write the aligned image too": "同时输出配准后的影像",
    "Folder of results": "结果文件夹",
    "One bundle for each": "分包方式",
    "No bundles: everything together": "不分包，全部一起",
    "Township or street": "镇街",
    "Community or village": "社区（村）",
    "Cell of the unit grid": "单元网格",
    "Team": "班组",
    "Decisions saved by the review page": "复核页面保存的结论",
    "Language of lists and sheets": "清单和核查单的语言",
    "As in QGIS": "与 QGIS 相同",
    "English": "英文",
    "Chinese": "中文",
    "Both languages": "中英双语",
    "Whose map the links open": "导航链接所用地图",
    "Amap": "高德地图",
    "Tencent Maps": "腾讯地图",
    "The phone's own (geo:)": "手机自带地图（geo:）",
    "No links": "不加链接",
    "Output folder": "输出文件夹",
    "Report": "报告",
    "Load the results into the project": "将结果加载到工程",
    "The command orthowatch, where it is not found by itself": (
        "orthowatch 命令的位置（找不到时填写）"
    ),
    # Outputs
    "Suspects": "疑似图斑",
    "Number of suspects": "图斑数量",
    "Beyond the permit": "超出许可的部分",
    "Ground not judged": "未判定区域",
    "Explained or removed": "有许可或已拆除的变化",
    "Explained by a permit": "有许可的现有建筑",
    "Permits with nothing on them": "批而未建的许可",
    "Flawed rows of the permit layer": "许可图层的问题行",
    "Ties of the alignment": "配准连接点",
    "Townships and communities": "镇街和社区",
    "Grid cells": "单元网格",
    "Ground judged": "判定范围",
    "Earlier flight as compared": "参与比对的前期影像",
    "Later flight as compared": "参与比对的后期影像",
    "Aligned image": "配准后的影像",
    # What is said
    "{name} is needed: a picture, or a folder of tiles.": "缺少“{name}”：请给出影像或图块文件夹。",
    "{name}: give a picture or a folder of tiles, not both.": (
        "“{name}”：影像和图块文件夹只能给出一个。"
    ),
    "{name} is no raster file: save it to a GeoTIFF first.": (
        "“{name}”不是栅格文件：请先另存为 GeoTIFF。"
    ),
    "{name} cannot be read as a layer.": "“{name}”无法作为图层读取。",
    "{name} could not be saved for the command: {reason}": "无法为命令另存“{name}”：{reason}",
    "{name} is handed over as it stands in QGIS, {count} features.": (
        "“{name}”按 QGIS 中的现状传给命令，共 {count} 个要素。"
    ),
    "The command {command} is not found: name it under Settings, Options, Processing, Providers,"
    " orthowatch.": (
        "找不到命令 {command}：请在“设置 > 选项 > 处理 > 数据提供者 > orthowatch”中填写。"
    ),
    "The command could not be started: {reason}": "无法启动命令：{reason}",
    "The command ended with code {code} and said nothing.": (
        "命令以代码 {code} 结束，没有说明原因。"
    ),
    "Canceled: nothing half-written was left.": "已取消：没有留下写了一半的文件。",
    "Layers of {path} are open in the project: name another folder, or remove them from the"
    " project first.": ("工程中正打开 {path} 的图层：请换一个文件夹，或先从工程中移除这些图层。"),
    "{path} opens the whole result with its pictures.": "打开 {path} 可查看带影像的全部结果。",
    "refused": "已拒绝",
    "warning": "警告",
    "info": "信息",
    "Findings": "检查结果",
    "Compares drone flights and lists what no permit covers.": (
        "比对无人机影像，列出没有许可的建筑。"
    ),
    "The command orthowatch": "orthowatch 命令",
}
"""English to Chinese."""


def language_of(locale: str) -> str:
    """Return the language of a locale, one that the command knows: ``zh_CN`` or ``en``."""
    return "zh_CN" if locale.lower().replace("-", "_").split("_")[0] == "zh" else "en"


def translate(sentence: str, language: str) -> str:
    """Return a sentence in a language."""
    return WORDS[sentence] if language == "zh_CN" else sentence
