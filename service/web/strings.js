// Every word that the page itself says. What the agent says comes in the language that the moment names.

const STRINGS = {
  en: {
    title: "Scenewise", skip: "Skip to the message box", conversation: "Conversation", list: "Recommendations", moment: "The moment",
    welcome: "What is the moment like?",
    welcomeText: "Say where you are, who is there, how long you have, or what you feel like. The scene does the rest.",
    try1: "On the train to work, 25 minutes", try2: "Friends are over on Saturday night", try3: "Something calm before sleep",
    forNow: "Just show me something for now",
    message: "Message", placeholder: "What do you feel like?", send: "Send", stop: "Stop", newTalk: "New conversation",
    profile: "Profile", developer: "Behind this turn", theme: "Theme", language: "Language", close: "Close", you: "You",
    themeAuto: "Theme: as the system", themeLight: "Theme: light", themeDark: "Theme: dark",
    emptyStage: "Nothing picked yet", emptyStageText: "A list appears here as soon as you say something, or when you change the moment above.",
    scene: "Scene", device: "Device", time: "Time", place: "Place", minutes: "Length",
    auto: "Auto", autoScene: "Auto: {scene}", anywhere: "Not said", now: "Now", morning: "Weekday morning, 8:10",
    noon: "Weekday noon, 12:30", evening: "Saturday evening, 20:30", sunday: "Sunday afternoon, 16:00", night: "Late, 23:00",
    pick: "Pick a time …", pickTime: "Date and time", anyLength: "Any", upTo: "{n} min",
    phone: "Phone", tablet: "Tablet", laptop: "Laptop", desktop: "Desktop", tv: "TV", speaker: "Speaker", headphones: "Headphones",
    watch: "Watch", car: "Car",
    home: "Home", train: "Train", bus: "Bus", plane: "Plane", gym: "Gym", office: "Office", cafe: "Café", park: "Park",
    kitchen: "Kitchen", bedroom: "Bedroom", hotel: "Hotel", library: "Library", street: "Street",
    perceive: "Reading the moment", plan: "Choosing tools", act: "Asking the tools", rank: "Ranking", compose: "Writing", verify: "Checking every claim",
    remember: "Remembering", working: "Working: {step}", answered: "{reply} {n} items.", answeredPlain: "{reply}",
    items: "{n} picks", itemsFor: "{scene} · {n} picks", showList: "Show this list", shown: "Shown", earlier: "An earlier list", latest: "Back to the latest",
    reranked: "Ranked anew for this moment: {n} items, the first is {title}.", rerankedNote: "Ranked anew after you changed the moment",
    feedbackNote: "Ranked anew after what you said of {title}", nothingFits: "Nothing fits this moment.",
    more: "More like this", not: "Not this", seen: "Seen it", why: "Why?", moreSaid: "More like {title}", whySaid: "Why {title}?",
    moreOf: "More like {title}", notOf: "Not {title}", seenOf: "I have seen {title}", whyOf: "Why {title}?", graphOf: "What is around {title}",
    evidence: "Evidence", claims: "What is said, and what bears it out", rows: "All that is known of it", scoreParts: "How the score came about",
    score: "Chance that you choose it: {score}", byModel: "Written by the model, every claim checked", byTemplate: "Written from a template",
    graph: "Graph", graphText: "What the knowledge graph has around it. Choose an item to go on from there.", graphList: "The same in words",
    graphNone: "The graph knows nothing around this item.", graphMissing: "This server shows no graph.", graphPicture: "{n} things around {title}",
    degraded: "Answered without the language model ({why}). The ranking is the same as ever; the words come from templates.",
    noModelShort: "No language model", noModel: "No language model here: lists are ranked as ever, words come from templates.", modelIs: "Language model: {name}",
    "planning: too slow": "it was too slow", "planning: unreachable": "it cannot be reached", "no LLM": "there is none",
    "writing: too slow": "it was too slow to write", "writing: unreachable": "it cannot be reached", "writing: no time left": "no time was left to write",
    dropped: "The connection dropped before the answer was whole. Nothing is lost: your message is kept, and asking again does not say it twice.",
    offline: "No connection. What you see stays; new answers come when it is back.", stopped: "Stopped.", again: "Try again",
    busy: "The server is busy. Trying again in {n} s.", failed: "That did not work: {message}", unfinished: "This message has had no answer yet.",
    feedbackRefused: "This key may not record feedback, so it counts in this conversation only.", told: "Noted.",
    keyTitle: "A key is needed", keyText: "This server answers only with a key. It stays in this tab and is gone when the tab is closed.", key: "Key",
    keyWrong: "The server does not know this key, or it has expired.", keyUse: "Use this key", keyForget: "Forget the key",
    userTitle: "Who you are here", userLabel: "User", userText: "Feedback and profile are kept under this name.", userChange: "Change", userBound: "The key says who you are.",
    likes: "Likes", dislikes: "Dislikes", rules: "Standing rules", nothingYet: "Nothing yet.", kept: "{events} things done and {conversations} conversations are kept.",
    remove: "Remove", removeOf: "Remove {value}", lockOf: "Lock {value}", unlockOf: "Unlock {value}", locked: "locked",
    addTaste: "Add something", iLike: "I like", iDislike: "I don't like", attribute: "What kind", value: "What", add: "Add",
    genre: "Genre", creator: "Person", mood: "Mood", topic: "Topic", item: "Title", domain: "Kind of thing",
    yourData: "Your data", export: "Take it all along", forget: "Have it all forgotten", forgetSure: "Everything of {user} is deleted for good, on this server.",
    forgetYes: "Yes, forget everything", forgetNo: "Keep it", forgotten: "Everything of {user} has been forgotten.", exported: "Saved as a file.", loading: "Loading …",
    seenFor: "{user}", signals: "What told the scene", calls: "Plan", timings: "Where the time went", record: "The whole record", total: "total",
    noTurn: "No turn yet.", noTools: "No tools were needed.", rounds: "{n} LLM rounds, {tokens} tokens", askedBy: "by", candidates: "{n} candidates",
    run: "ran", refused: "refused", planned: "planned", noLlm: "no LLM", ms: "{n} ms",
    "source parity": "A fair chance for kinds without ratings", "source scene_prefer": "What the scene prefers", "source scene_domain": "The scene's kinds of items",
    "source scene_ban": "What the scene rules out", "source scene_duration": "Too long for the scene", "source scene_search": "A search for what suits the scene",
    "source graph": "The knowledge graph", "source retrieve": "A match with your words", "source catalogue": "Fits your conditions",
    "source transition_knn": "Chosen before or after yours", "source next_knn": "Chosen right after your last ones", "source transformer": "What a like history chose next",
    "source content_knn": "Likeness to what you chose", "source feature_regression": "Liked by people with your taste", "source trending": "Chosen more of late",
    "source item_knn": "Liked together", "source ease": "Liked together (EASE)", "source als": "Your taste against everybody's", "source popularity": "Popularity",
    "source novelty": "A little less for what everybody knows", "source wishes": "Your wishes", "source likes": "Your likes", "source dislikes": "Your dislikes", "source tie_break": "Chance between equals",
    movies: "Film", music: "Music", books: "Book", recipes: "Recipe", apps: "App", courses: "Course", workouts: "Workout", min: "{n} min", hours: "{h} h {m} min",
  },
  zh: {
    title: "Scenewise", skip: "跳到输入框", conversation: "对话", list: "推荐", moment: "此刻",
    welcome: "现在是什么样的时刻？", welcomeText: "说说你在哪里、和谁在一起、有多少时间，或者想要什么。其余的交给场景。",
    try1: "在上班的地铁上，有二十五分钟", try2: "周六晚上朋友来家里", try3: "睡前想放松一下", forNow: "直接看看现在适合什么",
    message: "消息", placeholder: "想看点什么、听点什么？", send: "发送", stop: "停止", newTalk: "新对话",
    profile: "档案", developer: "这一轮的细节", theme: "外观", language: "语言", close: "关闭", you: "你",
    themeAuto: "外观：跟随系统", themeLight: "外观：浅色", themeDark: "外观：深色",
    emptyStage: "还没有推荐", emptyStageText: "说一句话，或者改一下上面的时刻，这里就会出现推荐。",
    scene: "场景", device: "设备", time: "时间", place: "地点", minutes: "时长",
    auto: "自动", autoScene: "自动：{scene}", anywhere: "未说明", now: "现在", morning: "工作日早上 8:10", noon: "工作日中午 12:30",
    evening: "周六晚上 20:30", sunday: "周日下午 16:00", night: "深夜 23:00", pick: "选择时间…", pickTime: "日期和时间", anyLength: "不限", upTo: "{n} 分钟",
    phone: "手机", tablet: "平板", laptop: "笔记本", desktop: "台式机", tv: "电视", speaker: "音箱", headphones: "耳机", watch: "手表", car: "汽车",
    home: "家里", train: "火车", bus: "公交", plane: "飞机", gym: "健身房", office: "办公室", cafe: "咖啡馆", park: "公园", kitchen: "厨房",
    bedroom: "卧室", hotel: "酒店", library: "图书馆", street: "街上",
    perceive: "理解此刻", plan: "选择工具", act: "调用工具", rank: "排序", compose: "撰写", verify: "核对每一句", remember: "记住",
    working: "进行中：{step}", answered: "{reply} 共 {n} 个。", answeredPlain: "{reply}",
    items: "{n} 个推荐", itemsFor: "{scene} · {n} 个推荐", showList: "查看这份推荐", shown: "正在显示", earlier: "较早的推荐", latest: "回到最新",
    reranked: "已按此刻重新排序：{n} 个，第一个是{title}。", rerankedNote: "按你改动的时刻重新排序", feedbackNote: "按你对{title}的反馈重新排序", nothingFits: "没有适合此刻的内容。",
    more: "再来类似的", not: "不要这个", seen: "看过了", why: "为什么？", moreSaid: "再来类似《{title}》的", whySaid: "为什么推荐《{title}》？",
    moreOf: "再来类似《{title}》的", notOf: "不要《{title}》", seenOf: "看过《{title}》了", whyOf: "为什么推荐《{title}》？", graphOf: "《{title}》的关联",
    evidence: "依据", claims: "说了什么，依据是什么", rows: "已知的全部信息", scoreParts: "分数是怎么来的", score: "你会选它的概率：{score}",
    byModel: "由模型撰写，每一句都核对过", byTemplate: "由模板写成",
    graph: "关联", graphText: "知识图谱里与它相关的内容。选一个条目可以继续看。", graphList: "文字版", graphNone: "图谱里没有与它相关的内容。",
    graphMissing: "这台服务器不提供图谱。", graphPicture: "《{title}》周围的 {n} 个节点",
    degraded: "这次没有用到语言模型（{why}）。排序照常，文字来自模板。", noModelShort: "没有语言模型", noModel: "这里没有语言模型：排序照常，文字来自模板。", modelIs: "语言模型：{name}",
    "planning: too slow": "太慢", "planning: unreachable": "连不上", "no LLM": "没有配置", "writing: too slow": "撰写太慢", "writing: unreachable": "连不上",
    "writing: no time left": "没有时间撰写",
    dropped: "回答还没传完，连接就断了。什么都没丢：你的消息还在，再试一次也不会重复。", offline: "没有网络。已有内容仍可查看，恢复后继续。", stopped: "已停止。", again: "再试一次",
    busy: "服务器正忙，{n} 秒后重试。", failed: "没有成功：{message}", unfinished: "这条消息还没有得到回答。",
    feedbackRefused: "这个密钥不能记录反馈，只在本次对话中有效。", told: "已记下。",
    keyTitle: "需要密钥", keyText: "这台服务器需要密钥。密钥只留在这个标签页，关闭后即消失。", key: "密钥", keyWrong: "服务器不认识这个密钥，或它已过期。", keyUse: "使用这个密钥", keyForget: "忘记密钥",
    userTitle: "你在这里的身份", userLabel: "用户", userText: "反馈和档案都记在这个名字下。", userChange: "更改", userBound: "由密钥决定你是谁。",
    likes: "喜欢", dislikes: "不喜欢", rules: "固定规则", nothingYet: "还没有。", kept: "保存了 {events} 条行为和 {conversations} 个对话。",
    remove: "移除", removeOf: "移除{value}", lockOf: "锁定{value}", unlockOf: "解锁{value}", locked: "已锁定",
    addTaste: "添加", iLike: "我喜欢", iDislike: "我不喜欢", attribute: "类别", value: "内容", add: "添加",
    genre: "类型", creator: "人物", mood: "心情", topic: "主题", item: "标题", domain: "品类",
    yourData: "你的数据", export: "全部导出", forget: "全部忘记", forgetSure: "{user} 的所有内容将从这台服务器上永久删除。", forgetYes: "是的，全部忘记", forgetNo: "保留",
    forgotten: "{user} 的所有内容都已删除。", exported: "已保存为文件。", loading: "加载中…",
    seenFor: "{user}", signals: "场景是怎么识别的", calls: "计划", timings: "时间花在哪里", record: "完整记录", total: "合计", noTurn: "还没有对话。", noTools: "不需要工具。",
    rounds: "语言模型 {n} 轮，{tokens} 个词元", askedBy: "来自", candidates: "{n} 个候选", run: "已运行", refused: "被拒绝", planned: "计划中", noLlm: "没有语言模型", ms: "{n} 毫秒",
    "source parity": "给没有评分的品类公平的机会", "source scene_prefer": "场景的偏好", "source scene_domain": "场景适合的品类", "source scene_ban": "场景排除的内容",
    "source scene_duration": "对场景来说太长", "source scene_search": "为场景做的检索", "source graph": "知识图谱", "source retrieve": "与你的话相符", "source catalogue": "符合你的条件",
    "source transition_knn": "在你选过的前后被选", "source next_knn": "紧接你最近所选之后", "source transformer": "相似历史的人接着选的", "source content_knn": "与你选过的相似",
    "source feature_regression": "与你口味相近的人喜欢的", "source trending": "最近更多人选", "source item_knn": "常被一起喜欢", "source ease": "常被一起喜欢（EASE）", "source als": "你的口味与众人相比",
    "source popularity": "热门程度", "source novelty": "人人皆知的略降", "source wishes": "你的愿望", "source likes": "你的喜欢", "source dislikes": "你的不喜欢", "source tie_break": "同分时的随机",
    movies: "电影", music: "音乐", books: "书", recipes: "菜谱", apps: "应用", courses: "课程", workouts: "健身", min: "{n} 分钟", hours: "{h} 小时 {m} 分钟",
    "commute": "通勤", "focus at work": "专注工作", "lunch break": "午休", "workout": "锻炼", "cooking": "做饭", "family evening": "家庭之夜", "date night": "约会之夜",
    "party": "聚会", "bedtime": "睡前", "lazy weekend": "悠闲周末", "travel": "旅行", "study": "学习", "feeling low": "心情低落", "home alone evening": "独处的夜晚",
  },
};

let language = "en";

export function speak(name) {
  language = name in STRINGS ? name : "en";
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
}

export function spoken() {
  return language;
}

// The words for a key, with {names} filled in; a key that has no words is shown as it is.
export function t(key, values = {}) {
  const words = STRINGS[language][key] ?? STRINGS.en[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? ""));
}

export function languages() {
  return Object.keys(STRINGS);
}

export function words() {
  return Object.keys(STRINGS[language]);
}
