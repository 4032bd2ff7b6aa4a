// What the facts of contract section 3 are called. A count has a form for one and for many.

export const FACTS = {
  purchases: { kind: "count", en: ["purchase", "purchases"], vi: "lần mua" },
  units: { kind: "count", en: ["item bought", "items bought"], vi: "sản phẩm đã mua" },
  inquiries: { kind: "count", en: ["inquiry", "inquiries"], vi: "lần hỏi thông tin" },
  reviews: { kind: "count", en: ["review", "reviews"], vi: "đánh giá" },
  positives: { kind: "count", en: ["positive review", "positive reviews"], vi: "đánh giá tốt" },
  negatives: { kind: "count", en: ["negative review", "negative reviews"], vi: "đánh giá xấu" },
  testimonials: { kind: "count", en: ["testimonial", "testimonials"], vi: "lời chứng thực" },
  defences: { kind: "count", en: ["defence of the shop", "defences of the shop"], vi: "lần bảo vệ cửa hàng" },
  referrals_sent: { kind: "count", en: ["invitation sent", "invitations sent"], vi: "lời mời đã gửi" },
  referrals: { kind: "count", en: ["referral that bought", "referrals that bought"], vi: "lời giới thiệu thành công" },
  events: { kind: "count", en: ["sign of life", "signs of life"], vi: "lần có tương tác" },
  spend: { kind: "money", en: "spend", vi: "chi tiêu" },
  referral_revenue: { kind: "money", en: "revenue from referrals", vi: "doanh thu từ giới thiệu" },
  average_order: { kind: "money", en: "average order", vi: "giá trị đơn trung bình" },
  gap_days: { kind: "number", en: "days between purchases", vi: "số ngày giữa hai lần mua" },
  gap_spread: { kind: "number", en: "unevenness of the buying rhythm", vi: "độ thất thường của nhịp mua" },
  need: { kind: "need", en: "need shown", vi: "nhu cầu đã thể hiện" },
  registered: { kind: "flag", en: "signed up", vi: "đã đăng ký" },
  card: { kind: "text", en: "card", vi: "thẻ thành viên" },
  top_spender: { kind: "flag", en: "top spender", vi: "nhóm chi nhiều nhất" },
};

export const NEEDS = {
  en: ["none", "a problem", "a solution", "a brand", "a decision"],
  vi: ["chưa có", "một vấn đề", "một giải pháp", "một thương hiệu", "một quyết định"],
};

export const ATTRIBUTES = {
  age: { en: "age", vi: "tuổi" },
  gender: { en: "gender", vi: "giới tính" },
  distance_km: { en: "distance from the shop (km)", vi: "khoảng cách tới cửa hàng (km)" },
  interests: { en: "interests", vi: "sở thích" },
  places: { en: "places visited", vi: "nơi hay lui tới" },
  city: { en: "city", vi: "thành phố" },
};

export const VALUES = {
  female: { en: "female", vi: "nữ" }, male: { en: "male", vi: "nam" },
  silver: { en: "silver", vi: "bạc" }, gold: { en: "gold", vi: "vàng" }, diamond: { en: "diamond", vi: "kim cương" },
  family: { en: "family", vi: "gia đình" }, kids: { en: "kids", vi: "trẻ em" },
  sport: { en: "sport", vi: "thể thao" }, outdoors: { en: "outdoors", vi: "ngoài trời" }, gym: { en: "gym", vi: "phòng tập" },
  home: { en: "home", vi: "nhà cửa" }, food: { en: "food", vi: "ẩm thực" },
  music: { en: "music", vi: "âm nhạc" }, travel: { en: "travel", vi: "du lịch" }, reading: { en: "reading", vi: "đọc sách" },
  cinema: { en: "cinema", vi: "rạp phim" }, market: { en: "market", vi: "chợ" }, park: { en: "park", vi: "công viên" }, library: { en: "library", vi: "thư viện" },
};

// What the built-in ladders suggest to marketing; a shop's own words are told as they are written.
export const SUGGESTIONS = {
  "account-manager": { en: "an account manager", vi: "cử người chăm sóc riêng" },
  "after-sales-care": { en: "after-sales care", vi: "chăm sóc sau bán" },
  "ask-for-referrals": { en: "ask for referrals", vi: "nhờ giới thiệu bạn bè" },
  close: { en: "close the sale", vi: "chốt đơn" },
  "co-create": { en: "create together", vi: "mời cùng sáng tạo" },
  educate: { en: "educate", vi: "chia sẻ kiến thức" },
  "feed-content": { en: "give them something to share", vi: "gửi nội dung để chia sẻ" },
  "first-offer": { en: "a first offer", vi: "ưu đãi lần đầu" },
  "invite-back": { en: "invite back", vi: "mời quay lại" },
  involve: { en: "involve", vi: "mời tham gia" },
  "member-benefits": { en: "member benefits", vi: "quyền lợi thành viên" },
  "offer-membership": { en: "offer membership", vi: "mời làm thành viên" },
  "remind-before-next": { en: "remind before the next time", vi: "nhắc trước lần mua tới" },
  reward: { en: "reward", vi: "tặng thưởng" },
  "second-visit": { en: "bring about a second visit", vi: "mời mua lần hai" },
  "show-proof": { en: "show proof", vi: "đưa bằng chứng" },
  "show-solution": { en: "show a solution", vi: "giới thiệu giải pháp" },
  subscription: { en: "a subscription", vi: "mời mua định kỳ" },
  "thank-and-invite-back": { en: "thank and invite back", vi: "cảm ơn và mời quay lại" },
  "thank-in-person": { en: "thank in person", vi: "cảm ơn tận nơi" },
  "win-back": { en: "win back", vi: "kéo khách trở lại" },
  "win-back-call": { en: "call to win back", vi: "gọi để kéo khách trở lại" },
};

/** The fact of a node of a condition, and over how many days it looks: null for all time. */
export function factOf(node) {
  if (node.name.startsWith("profile.")) return { attribute: node.name.slice(8), days: null, kind: "attribute" };
  if (node.name === "top_spender") return { ...FACTS.top_spender, name: "top_spender", days: node.args[1], percent: node.args[0] };
  const windowed = node.name.endsWith("_in") && node.args.length === 1;
  const name = windowed ? node.name.slice(0, -3) : node.name;
  return { ...FACTS[name], name, days: windowed ? node.args[0] : null };
}
