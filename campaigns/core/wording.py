"""What every mail says in the customer's own language, whatever language staff work in. Pure.

Not in the message catalogues: these words are owed to the customer by law, so they must not depend on how far a
translation of the screens has come.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    why: dict[str, str]  # per purpose; {shop}
    unsubscribe: str
    score_low: str
    score_high: str
    answer: str
    contact: str
    # the page behind the unsubscribe link
    goodbye: dict[str, str]  # per purpose; {shop}
    gone_title: str
    gone_text: str
    unknown_title: str
    unknown_text: str


_EN = Wording(
    why={
        "marketing": "You get this mail because you agreed to receive offers and news from {shop}.",
        "survey": "You get this mail because you agreed to receive surveys from {shop}.",
    },
    unsubscribe="Unsubscribe",
    score_low="not at all likely",
    score_high="extremely likely",
    answer="Answer the survey",
    contact="Contact",
    goodbye={
        "marketing": "You will get no more offers and news from {shop} by e-mail.",
        "survey": "You will get no more surveys from {shop} by e-mail.",
    },
    gone_title="You are unsubscribed",
    gone_text="It counts from this moment. There is nothing else you need to do.",
    unknown_title="This link does not work",
    unknown_text="Perhaps it was cut off by the mail program. Please open it from our mail again.",
)
_KO = Wording(
    why={
        "marketing": "이 메일은 {shop}의 혜택·소식 수신에 동의하신 고객님께 보내드립니다.",
        "survey": "이 메일은 {shop}의 설문 수신에 동의하신 고객님께 보내드립니다.",
    },
    # Network Act 50(4): how to refuse, in Korean and in English
    unsubscribe="수신거부 (Unsubscribe)",
    score_low="전혀 추천하지 않음",
    score_high="매우 추천함",
    answer="설문에 답하기",
    contact="연락처",
    goodbye={
        "marketing": "앞으로 {shop}의 혜택·소식 메일을 보내드리지 않습니다.",
        "survey": "앞으로 {shop}의 설문 메일을 보내드리지 않습니다.",
    },
    gone_title="수신거부가 처리되었습니다",
    gone_text="지금부터 바로 적용됩니다. 더 하실 일은 없습니다.",
    unknown_title="열 수 없는 링크입니다",
    unknown_text="메일 프로그램에서 링크가 잘렸을 수 있습니다. 저희 메일에서 다시 열어 주세요.",
)
_JA = Wording(
    why={
        "marketing": "このメールは、{shop}からのお得な情報・お知らせの受信に同意いただいたお客様にお送りしています。",
        "survey": "このメールは、{shop}からのアンケートの受信に同意いただいたお客様にお送りしています。",
    },
    unsubscribe="配信停止",
    score_low="まったく薦めたくない",
    score_high="ぜひ薦めたい",
    answer="アンケートに答える",
    contact="お問い合わせ",
    goodbye={
        "marketing": "今後、{shop}からのお得な情報・お知らせのメールはお送りしません。",
        "survey": "今後、{shop}からのアンケートのメールはお送りしません。",
    },
    gone_title="配信を停止しました",
    gone_text="ただいまから有効です。ほかに必要なお手続きはありません。",
    unknown_title="このリンクは開けません",
    unknown_text="メールソフトでリンクが途中で切れた可能性があります。メールからもう一度開いてください。",
)
_WORDINGS = {"en": _EN, "ko": _KO, "ja": _JA}


def wording(language: str) -> Wording:
    """The words in ``language``, else in English."""
    return _WORDINGS.get(language, _EN)
