"""The fixed words of the public answer page, in the customer's language. Pure.

The page speaks the customer's language, not the browser's or the staff's, so its few words stand here side by
side instead of in the staff's catalogues.
"""

from collections.abc import Mapping

_ENGLISH = {
    "title": "Your opinion",
    "intro": "It takes about a minute. Thank you for helping us get better.",
    "least": "Not at all likely",
    "most": "Extremely likely",
    "worst": "Very poor",
    "best": "Very good",
    "optional": "optional",
    "up_to": "Up to 5,000 characters",
    "send": "Send my answer",
    "save": "Save the change",
    "edit_note": "You have answered already. You can change your answer until 24 hours after you first sent it.",
    "privacy": "Only our team reads your answer, together with your customer record.",
    "thanks_title": "Thank you",
    "thanks_text": "We have your answer and read every one of them.",
    "thanks_edit": "You can change it within 24 hours.",
    "change": "Change my answer",
    "already_title": "You have already answered",
    "already_text": "Thank you again. Answers can be changed for 24 hours; that time has passed.",
    "expired_title": "This survey has ended",
    "expired_text": "The link is no longer valid. Thank you for wanting to help; we will gladly ask you again.",
    "unknown_title": "This link does not work",
    "unknown_text": "Perhaps it was cut off by the mail program. Please open it from our mail again.",
    "error_summary": "Please look at the marked answers. Nothing has been saved yet.",
    "required": "Please answer this question.",
    "scale": "Please choose one of the numbers.",
    "option": "Please choose one of the answers.",
    "too_long": "Please use at most 5,000 characters.",
    "nothing": "Please answer at least one question.",
}
_KOREAN = {
    "title": "고객님의 의견",
    "intro": "1분이면 충분합니다. 더 나은 서비스를 위해 도와주셔서 감사합니다.",
    "least": "전혀 추천하지 않음",
    "most": "적극 추천함",
    "worst": "매우 나쁨",
    "best": "매우 좋음",
    "optional": "선택",
    "up_to": "최대 5,000자",
    "send": "답변 보내기",
    "save": "변경 내용 저장",
    "edit_note": "이미 답변해 주셨습니다. 처음 보내신 후 24시간 동안 답변을 바꾸실 수 있습니다.",
    "privacy": "답변은 고객 정보와 함께 저희 직원만 읽습니다.",
    "thanks_title": "감사합니다",
    "thanks_text": "답변을 잘 받았습니다. 보내 주신 의견은 하나하나 모두 읽겠습니다.",
    "thanks_edit": "24시간 안에는 답변을 바꾸실 수 있습니다.",
    "change": "답변 바꾸기",
    "already_title": "이미 답변해 주셨습니다",
    "already_text": "다시 한번 감사드립니다. 답변은 24시간 동안만 바꿀 수 있으며, 그 시간이 지났습니다.",
    "expired_title": "설문이 종료되었습니다",
    "expired_text": "링크의 유효 기간이 지났습니다. 도와주시려는 마음에 감사드리며, 다음에 다시 여쭙겠습니다.",
    "unknown_title": "열 수 없는 링크입니다",
    "unknown_text": "메일 프로그램에서 링크가 잘렸을 수 있습니다. 메일에서 다시 열어 주세요.",
    "error_summary": "표시된 답변을 확인해 주세요. 아직 저장되지 않았습니다.",
    "required": "이 질문에 답해 주세요.",
    "scale": "숫자 중 하나를 골라 주세요.",
    "option": "보기 중 하나를 골라 주세요.",
    "too_long": "5,000자 이내로 적어 주세요.",
    "nothing": "질문에 하나 이상 답해 주세요.",
}
_JAPANESE = {
    "title": "お客様の声",
    "intro": "1分ほどで終わります。より良いサービスのためのご協力をお願いいたします。",
    "least": "まったく薦めない",
    "most": "強く薦める",
    "worst": "とても悪い",
    "best": "とても良い",
    "optional": "任意",
    "up_to": "5,000文字まで",
    "send": "回答を送る",
    "save": "変更を保存する",
    "edit_note": "すでにご回答いただいています。最初の送信から24時間は変更できます。",
    "privacy": "ご回答はお客様情報とあわせて、当店の担当者だけが拝見します。",
    "thanks_title": "ありがとうございます",
    "thanks_text": "ご回答を受け取りました。いただいたご意見はすべて拝見します。",
    "thanks_edit": "24時間以内であれば変更できます。",
    "change": "回答を変更する",
    "already_title": "すでにご回答いただいています",
    "already_text": "改めてお礼申し上げます。変更できる24時間が過ぎたため、回答は確定しています。",
    "expired_title": "アンケートは終了しました",
    "expired_text": "リンクの有効期限が切れています。お気持ちに感謝いたします。またの機会にお願いいたします。",
    "unknown_title": "このリンクは開けません",
    "unknown_text": "メールソフトで途中までになった可能性があります。メールからもう一度お開きください。",
    "error_summary": "印の付いた回答をご確認ください。まだ保存されていません。",
    "required": "この質問にお答えください。",
    "scale": "数字を一つお選びください。",
    "option": "選択肢から一つお選びください。",
    "too_long": "5,000文字以内でお書きください。",
    "nothing": "一つ以上の質問にお答えください。",
}
LANGUAGES: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "ko": _KOREAN, "ja": _JAPANESE}


def words(language: str) -> Mapping[str, str]:
    """The page's words in ``language`` ("ko", "ko-KR", ...), else in English."""
    return LANGUAGES.get(language[:2], _ENGLISH)
