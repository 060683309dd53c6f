// Vocabulary of generated conversations: words by frequency, short answers, and speaking times.

export type Language = 'en' | 'zh' | 'ja'

export interface LanguageProfile {
  /** The most frequent first; frequent words are drawn far more often. */
  words: string[]
  backChannels: string[]
  answers: string[]
  comma: string
  stops: string[]
  /** Between words. */
  blank: string
  /** The text model returns one word per character in scripts without spaces. */
  byCharacter: boolean
  secondsOf(word: string): number
}

const english =
  `the to and a of i you that it in is we for was on so have but they this be with not what do just
know like at are if there all about one can think get then would as my he had from out go when up no how or your
me because really good some here time which by were going now people right where more said been see mean want two
she could who did them into very work make way our got over back only other well thing need something their first
even look much week down should after day take next year still new last before money team plan point problem start
end part place long ask month maybe question number report system project budget market customer release feature
server meeting review contract deadline supplier invoice kitchen window garden library printer roller payment
provider terminal coin station ticket holiday doctor school student teacher museum bridge river mountain weather
summer winter engine battery charger signal recording transcript speaker channel network password account security
backup version branch merge factory warehouse delivery truck driver railway airport passport luggage hotel
restaurant breakfast vegetable potato chicken sandwich coffee bottle glass paper pencil notebook envelope stamp
insurance hospital medicine temperature experiment hypothesis analysis survey statistics average percentage twelve
thirteen seventeen forty hundred thousand million february september wednesday saturday viktor hannah leila samuel
oakfield riverside norpay clearbridge petrov`.split(/\s+/)

const chinese =
  `的 我 是 了 我们 你 这个 不 在 有 就 那 他 也 都 要 说 对 可以 一个 还 会 去 没有 什么 然后 现在 觉得 因为 所以
如果 但是 知道 问题 时候 他们 大家 已经 时间 需要 应该 可能 今天 明天 这样 怎么 工作 公司 项目 客户 产品 市场 计划 预算 会议
报告 系统 数据 合同 供应商 发票 图书馆 打印机 付款 终端 车站 车票 假期 医生 学校 学生 老师 博物馆 桥 河 山 天气 夏天 冬天 发动机
电池 信号 录音 频道 网络 密码 账户 安全 备份 版本 工厂 仓库 送货 卡车 司机 铁路 机场 护照 行李 酒店 餐厅 早餐 蔬菜 土豆 鸡肉 咖啡
瓶子 玻璃 纸 铅笔 笔记本 信封 邮票 保险 医院 药 温度 实验 假设 分析 调查 统计 平均 百分之 十二 十七 四十 一百 二月 九月 星期三
星期六 北京 上海 杭州 王芳 李明 张伟 陈静`.split(/\s+/)

const japanese =
  `の は が を に です ます と で も それ これ から まで ので けど 私 あの 今日 明日 時間 本当に ちょっと 思います
あります 大丈夫 会議 仕事 会社 予算 計画 問題 お客様 製品 市場 報告 システム データ 契約 請求書 図書館 プリンター 支払い 端末 駅
切符 休暇 医者 学校 学生 先生 博物館 橋 川 山 天気 夏 冬 エンジン 電池 信号 録音 ネットワーク パスワード 口座 安全 工場 倉庫 配達
トラック 運転手 鉄道 空港 荷物 ホテル 朝食 野菜 鶏肉 コーヒー 瓶 紙 鉛筆 封筒 切手 保険 病院 薬 温度 実験 分析 調査 統計 平均
十二 十七 四十 百 二月 九月 水曜日 土曜日 東京 大阪 京都 田中 佐藤 鈴木 高橋 考えて います しました ください でしょう なぜ 新しい
古い 大きい 小さい 早く 遅く 来週 先月`.split(/\s+/)

export const languages: Record<Language, LanguageProfile> = {
  en: {
    words: english,
    backChannels: ['mm-hm', 'yeah', 'right', 'okay', 'yes', 'uh-huh', 'I see', 'sure'],
    answers: ['yes', 'no', 'okay', 'exactly', 'I think so', 'of course', 'not yet', 'thank you', 'why not'],
    comma: ',',
    stops: ['.', '.', '.', '?', '!'],
    blank: ' ',
    byCharacter: false,
    secondsOf: word => 0.09 + 0.05 * word.length,
  },
  zh: {
    words: chinese,
    backChannels: ['嗯', '对', '好', '是的', '对对', '嗯嗯'],
    answers: ['好的', '没有', '是', '不行', '谢谢', '为什么', '当然', '还没有'],
    comma: '，',
    stops: ['。', '。', '。', '？', '！'],
    blank: '',
    byCharacter: true,
    secondsOf: word => 0.19 * word.length,
  },
  ja: {
    words: japanese,
    backChannels: ['はい', 'ええ', 'うん', 'そうです', 'なるほど'],
    answers: ['はい', 'いいえ', 'そうですね', 'まだです', 'ありがとう', 'なぜですか', 'もちろん'],
    comma: '、',
    stops: ['。', '。', '。', '？'],
    blank: '',
    byCharacter: true,
    secondsOf: word => 0.13 * word.length,
  },
}
