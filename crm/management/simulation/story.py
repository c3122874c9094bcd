"""What people say and write in the simulated shop, in three languages. Pure."""

from dataclasses import dataclass

Texts = dict[str, str]  # language -> text

SHOP_NAME = "Haru & Co. (simulated shop)"
STAFF = (  # (user name, given name, family name, language, time zone)
    ("jiwoo", "Jiwoo", "Han", "ko", "Asia/Seoul"),
    ("haruka", "Haruka", "Mori", "ja", "Asia/Tokyo"),
    ("emma", "Emma", "Clarke", "en", "Europe/London"),
)
CONSENT_WORDING: dict[str, Texts] = {
    "marketing": {
        "en": "Yes, send me offers and news by e-mail. I can take this back at any time.",
        "ko": "이메일로 할인 혜택과 소식을 받는 것에 동의합니다. 언제든지 철회할 수 있습니다.",
        "ja": "メールでお得な情報を受け取ることに同意します。いつでも取り消せます。",
    },
    "survey": {
        "en": "You may ask me about my orders by e-mail now and then.",
        "ko": "주문에 관한 설문을 이메일로 받는 것에 동의합니다.",
        "ja": "注文についてのアンケートをメールで受け取ることに同意します。",
    },
}

SURVEY_NAME = "After your order"
QUESTIONS = (
    {
        "kind": "nps",
        "required": True,
        "texts": {
            "en": "How likely are you to recommend Haru & Co. to a friend?",
            "ko": "하루앤코를 친구에게 추천하실 의향이 얼마나 있으신가요?",
            "ja": "Haru & Co. をご友人に薦める可能性はどのくらいですか。",
        },
    },
    {
        "kind": "rating",
        "texts": {
            "en": "How was the delivery?",
            "ko": "배송은 어떠셨나요?",
            "ja": "配送はいかがでしたか。",
        },
    },
    {
        "kind": "choice",
        "texts": {
            "en": "What matters most to you when you buy from us?",
            "ko": "저희 가게에서 구매하실 때 가장 중요한 것은 무엇인가요?",
            "ja": "当店でお買い物される際、一番大切なことは何ですか。",
        },
        "options": [
            {"en": "Quality", "ko": "품질", "ja": "品質"},
            {"en": "Price", "ko": "가격", "ja": "価格"},
            {"en": "Delivery", "ko": "배송", "ja": "配送"},
            {"en": "Advice", "ko": "상담", "ja": "相談しやすさ"},
        ],
    },
    {
        "kind": "text",
        "texts": {
            "en": "What should we keep, and what should we do better?",
            "ko": "저희가 계속 잘했으면 하는 점과 고쳤으면 하는 점을 들려주세요.",
            "ja": "良かった点、改善してほしい点をお聞かせください。",
        },
    },
)
OPTIONS = ("Quality", "Price", "Delivery", "Advice")


@dataclass(frozen=True)
class Said:
    """Words a customer of one group may write, and what they are about."""

    theme: str
    group: str
    texts: Texts


SAID = (
    Said("Delivery time", "detractor", {
        "en": "It took nine days and nobody could tell me where the parcel was.",
        "ko": "배송이 열흘 가까이 걸렸는데 어디쯤 왔는지 아무도 몰랐어요.",
        "ja": "届くまで9日かかり、荷物がどこにあるのか誰も分かりませんでした。",
    }),
    Said("Delivery time", "passive", {
        "en": "Lovely things, but please ship a little faster.",
        "ko": "제품은 마음에 드는데 배송이 조금만 더 빨랐으면 좋겠어요.",
        "ja": "商品は素敵ですが、もう少し早く届くと嬉しいです。",
    }),
    Said("Packaging", "detractor", {
        "en": "The bowl arrived chipped. One sheet of paper is not enough.",
        "ko": "그릇 가장자리가 깨져서 왔어요. 포장이 너무 얇습니다.",
        "ja": "器の縁が欠けて届きました。梱包が薄すぎます。",
    }),
    Said("Packaging", "passive", {
        "en": "Too much plastic around such natural products.",
        "ko": "자연스러운 제품에 비해 비닐 포장이 너무 많아요.",
        "ja": "自然素材の商品なのに、プラスチックの緩衝材が多すぎます。",
    }),
    Said("Product quality", "promoter", {
        "en": "The linen gets softer with every wash. Worth every cent.",
        "ko": "린넨이 빨수록 부드러워져요. 돈이 전혀 아깝지 않습니다.",
        "ja": "リネンは洗うたびに柔らかくなります。買って良かったです。",
    }),
    Said("Product quality", "promoter", {
        "en": "My third rice bowl from you. They are simply beautiful.",
        "ko": "벌써 세 번째 밥그릇이에요. 볼 때마다 기분이 좋아집니다.",
        "ja": "お茶碗はこれで三つ目です。毎日使うのが楽しみです。",
    }),
    Said("Product quality", "detractor", {
        "en": "The glaze looked quite different from the picture.",
        "ko": "사진에서 본 색과 실제 유약 색이 많이 달랐어요.",
        "ja": "釉薬の色が写真とかなり違っていました。",
    }),
    Said("Customer care", "promoter", {
        "en": "You replaced the broken cup within two days. Thank you!",
        "ko": "깨진 컵을 이틀 만에 바꿔 주셨어요. 정말 감사합니다!",
        "ja": "割れた湯のみを二日で交換してくれました。ありがとうございます。",
    }),
    Said("Customer care", "detractor", {
        "en": "I wrote twice and had no answer for a week.",
        "ko": "문의를 두 번 남겼는데 일주일 동안 답이 없었어요.",
        "ja": "二度問い合わせましたが、一週間返事がありませんでした。",
    }),
    Said("Price", "passive", {
        "en": "Good quality, though shipping costs add up for small orders.",
        "ko": "품질은 좋은데 소액 주문은 배송비가 부담돼요.",
        "ja": "品質は良いですが、少額の注文だと送料が気になります。",
    }),
    Said("Price", "detractor", {
        "en": "The same kettle was cheaper elsewhere a week later.",
        "ko": "같은 주전자를 일주일 뒤 다른 곳에서 더 싸게 팔더라고요.",
        "ja": "同じやかんが一週間後に他店でもっと安く売られていました。",
    }),
    Said("Selection", "promoter", {
        "en": "Always something I did not know I needed.",
        "ko": "올 때마다 새롭고 갖고 싶은 물건이 있어요.",
        "ja": "いつ見ても欲しいものが見つかります。",
    }),
    Said("Selection", "passive", {
        "en": "Please bring the large donabe back.",
        "ko": "큰 사이즈 냄비를 다시 들여와 주세요.",
        "ja": "大きい土鍋をまた入荷してください。",
    }),
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What the shop does about a theme: due so many days from today; done and told so many days ago, if so."""

    theme: str
    text: str
    owner: str
    due_in: int
    done_ago: int | None = None
    told: bool = False


PLANS = (
    Plan("Packaging", "Double-wall boxes and paper filling for everything that can break", "haruka", -26, 28, told=True),
    Plan("Delivery time", "Second courier for orders outside Seoul", "jiwoo", -8, 9),
    Plan("Customer care", "Answer every question within one working day", "emma", 6),
    Plan("Price", "Free shipping from 40 dollars", "jiwoo", 20),
)  # fmt: skip


@dataclass(frozen=True)
class Contact:
    """A contact as staff write it down."""

    kind: str
    direction: str
    outcome: str
    note: str
    next_step: str = ""


CONTACTS = (
    Contact("call", "inbound", "resolved", "Asked whether the donabe works on induction. It does not; recommended the grill pan."),
    Contact("email", "inbound", "complaint", "Tea cup arrived with a crack. Photo attached.", "Send a new cup and ask for the order number"),
    Contact("chat", "inbound", "ordered", "Wanted a gift under 50 dollars for a housewarming. Took the bojagi."),
    Contact("call", "outbound", "no_answer", "Called about the delayed parcel."),
    Contact("call", "outbound", "reached", "Told them the parcel is on its way; they were relieved.", "Check that it arrived"),
    Contact("visit", "inbound", "none", "Came to the pop-up store, looked at the celadon for a long time."),
    Contact("email", "outbound", "none", "Sent care instructions for the walnut tray."),
    Contact("meeting", "inbound", "reached", "Runs a small café, interested in 40 tea cups.", "Prepare a quote for 40 cups"),
    Contact("chat", "inbound", "resolved", "Could not find the gift wrapping option. It is on the last page."),
    Contact("note", "internal", "none", "Prefers messages in the evening. Buys mostly for their parents."),
    Contact("call", "outbound", "left_message", "Left a message about the back-in-stock kettle.", "Call again about the kettle"),
    Contact("email", "inbound", "resolved", "Wanted the invoice with a company name. Sent."),
)  # fmt: skip

WIN_BACK_NAME = "We miss you (autumn)"
WIN_BACK: dict[str, tuple[str, str]] = {
    "en": (
        "{{ given_name }}, {{ offer_name }} for you",
        "Hello {{ given_name }},\n\nit has been a while since you last visited {{ shop_name }}. The new autumn bowls are"
        " here, and this code is yours alone until {{ coupon_expires }}:\n\n{{ coupon_code }}\n\nWould you tell us"
        " what kept you away? One minute is enough: {{ survey_url }}\n\nWarm regards",
    ),
    "ko": (
        "{{ name }}님, 다시 뵙고 싶어요",
        "안녕하세요, {{ name }}님.\n\n{{ shop_name }}에 다녀가신 지 꽤 되었네요. 가을 그릇이 새로 들어왔습니다."
        " {{ coupon_expires }}까지 쓰실 수 있는 {{ name }}님만의 쿠폰을 보내 드립니다.\n\n{{ coupon_code }}\n\n"
        "그동안 어떤 점이 아쉬우셨는지 1분만 들려주시겠어요? {{ survey_url }}\n\n감사합니다.",
    ),
    "ja": (
        "{{ name }}様、またお会いしたいです",
        "{{ name }}様\n\n{{ shop_name }}へ前回お越しいただいてから、しばらく経ちました。秋の新しい器が入荷しております。"
        "{{ coupon_expires }}までお使いいただけるクーポンをお送りします。\n\n{{ coupon_code }}\n\n"
        "一分ほどで、ご意見をお聞かせいただけませんか。{{ survey_url }}\n\nお待ちしております。",
    ),
}
SECOND_PURCHASE_NAME = "A second visit"
SECOND_PURCHASE: dict[str, tuple[str, str]] = {
    "en": (
        "Something that goes with your first order",
        "Hello {{ given_name }},\n\nthank you for your first order at {{ shop_name }}. With {{ coupon_code }} you get"
        " {{ offer_name }} on the next one, until {{ coupon_expires }}.\n\nSee you soon",
    ),
    "ko": (
        "첫 주문과 잘 어울리는 것들",
        "안녕하세요, {{ name }}님.\n\n{{ shop_name }}에서의 첫 주문 감사합니다. 다음 주문에 {{ coupon_code }} 쿠폰을"
        " 쓰시면 {{ offer_name }} 혜택을 드립니다. ({{ coupon_expires }}까지)\n\n곧 다시 뵙겠습니다.",
    ),
    "ja": (
        "はじめてのご注文に合うものをご紹介します",
        "{{ name }}様\n\n{{ shop_name }}での初めてのご注文、ありがとうございました。次回のお買い物に"
        " {{ coupon_code }} をお使いください({{ offer_name }}、{{ coupon_expires }}まで)。\n\n"
        "またのお越しをお待ちしております。",
    ),
}
