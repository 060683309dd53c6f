// Unpunctuated texts, as recognisers return them, in every script that the emulator formats.
export const unpunctuatedTexts = {
  English:
    'so i went to the market yesterday and met a man who sold me three apples for 3.50 dollars and then we talked about the weather for a while he asked me what i thought and i said that i do not know maybe it will rain tomorrow or maybe it will not but in any case we should be ready because the roof of the old barn has not been mended since the spring',
  Russian:
    'вчера я пошёл на рынок и встретил человека который продал мне три яблока а потом мы долго говорили о погоде и он спросил меня что я думаю а я сказал что не знаю может быть завтра будет дождь но в любом случае крышу старого сарая надо починить до осени',
  Chinese:
    '我昨天去了市场买了三个苹果然后我们聊了一会儿天气他问我怎么想我说我不知道也许明天会下雨也许不会但是无论如何我们都应该做好准备因为旧谷仓的屋顶从春天起就没有修过',
  Japanese:
    '昨日私は市場に行ってリンゴを三つ買いましたそれから天気について少し話しました彼は私にどう思うかと聞きました私はわかりませんと言いました明日は雨が降るかもしれませんでも古い納屋の屋根は春から直していません',
  Arabic:
    'ذهبت أمس إلى السوق والتقيت برجل باعني ثلاثة تفاحات ثم تحدثنا عن الطقس لفترة طويلة وسألني عن رأيي فقلت له لا أعرف ربما سيهطل المطر غدا وربما لا لكن سقف الحظيرة القديمة يحتاج إلى إصلاح قبل الشتاء',
  Thai: 'เมื่อวานฉันไปตลาดและซื้อแอปเปิ้ลสามลูกแล้วเราคุยกันเรื่องอากาศสักพักเขาถามฉันว่าคิดอย่างไรฉันบอกว่าฉันไม่รู้บางทีพรุ่งนี้ฝนอาจจะตกแต่หลังคาโรงนาเก่ายังไม่ได้ซ่อมตั้งแต่ฤดูใบไม้ผลิ',
  mixed:
    '我们用 the new API 来调用 model 3 然后看结果是什么现在我们用 qwen flash 来做测试因为它比较快但是有时候 the answer 不是我们想要的所以我们还要再看一遍',
} as const

/** The text in lower case, without punctuation and spaces. */
export function normalizedText(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]/gu, '')
}
