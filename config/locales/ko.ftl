# Sentences that people in a chat read: kind, short, plain. The same messages as en.ftl, in the same order.

language-name = 한국어

seen = 이런 게 보여요: {$tags}. 어울리는 노래예요:
seen-photos = {$n ->
   *[other] 사진 {$n}장에 어울리는 노래예요:
}
photo-sees = {$name}: {$tags}
photo-nothing = {$name}: 확실히 알아본 게 없어요
photo-fault = {$name}: {$reason}
unsure = 무슨 사진인지 확실하지 않아서 짐작으로 골라 봤어요. 사진에 한두 마디 덧붙여 주시면 도움이 돼요.
own-words = 직접 쓰신 말
left-out = {$n ->
   *[other] 한 번에 {$max}장까지만 볼 수 있어서 나머지 {$n}장은 빠졌어요.
}
explicit = 노골적인 가사
listen = 듣기
more-heading = 이 사진에 어울리는 노래 더 보기:

button-more = 더 보기
button-why = 왜요?
button-delete = 삭제

voted-up = 마음에 드신다니 기뻐요!
voted-down = 알겠어요, 이런 노래는 줄일게요.
voted-none = 취소했어요.
voted-off = 고마워요! 여기서 다음 노래를 고를 때만 참고하고, 학습에는 쓰지 않아요.
deleted = 지웠어요.
why-text = 이 노래들을 고른 이유
why-alt = 사진에서 눈여겨본 부분과 거기서 떠오른 말: {$reasons}
why-gone = 이 사진은 이제 없고 다시 가져올 수도 없지만, 말로 하자면 이래요: {$reasons}

no-photo = 사진을 보내거나 사진에 답장해 주세요. 어울리는 노래를 찾아 드릴게요.
not-a-photo = 이건 사진으로 열 수가 없어요. JPEG, PNG, WebP, GIF, BMP는 괜찮아요.
unknown-format = 이런 형식의 사진(HEIC 등)은 아직 읽지 못해요. JPEG로 보내 주세요.
too-large = 사진이 너무 커요. {$mib} MB까지는 괜찮아요.
damaged = 사진이 온전히 도착하지 않았어요. 다시 보내 주세요.
unreachable = 사진을 내려받지 못했어요. 다시 보내 주세요.
hidden-photo = 여기서는 그 사진이 보이지 않아요. 메시지 메뉴에서 앱 → {$command} 순으로 눌러 주세요.
nothing-fits = 이 설정에 맞는 노래가 없어요. 언어를 더 허용해 보면 어떨까요?
busy = 지금 사진이 한꺼번에 많이 왔어요. {$seconds ->
   *[other] {$seconds}초 뒤에 다시 해 주세요.
}
cooldown = 잠시만요, {$seconds ->
   *[other] {$seconds}초 뒤에 다시 해 주세요.
}
switched-off = 이 채널에서는 꺼져 있어요.
too-old = 너무 오래전에 고른 노래들이에요. 사진을 다시 보내 주시면 새로 골라 드릴게요.
not-allowed = 이곳을 관리하는 분만 할 수 있어요.
not-yours = 요청하신 분만 지울 수 있어요.
internal = 제 쪽에서 문제가 생겼어요. 기록해 두었어요({$id}). 다시 시도해 주세요.
apology = 답하기 전에 다시 시작되어 버렸어요. 사진을 다시 보내 주세요.

command-suggest-songs = 노래 추천
command-songs = 사진에 어울리는 노래 찾기
command-songs-photo = 사진
command-songs-hint = 한두 마디, 예: 비 오는 밤
command-songs-language = 노래의 언어
command-songs-mood = 분위기, 예: 차분한
command-settings = 이 서버나 채팅의 설정
command-privacy = 나에 대해 저장되는 것과 지우는 방법
command-about = 이 봇 소개
command-help = 노래를 부탁하는 방법
help = 개인 채팅으로 사진을 보내거나, 사진 설명이나 사진에 대한 답장에 /songs 라고 써 주세요. 한두 마디 덧붙이면 도움이 돼요. 예: 비, 프랑스어로.
help-group = 그룹에서는 명령어와 저에게 온 답장만 보여요. 사진 설명이나 사진에 대한 답장에 /songs 라고 써 주세요.
about = 사진을 보고 무엇이 있는지 말한 다음, 말이 어울리는 노래를 찾아 드려요. 모델은 운영자의 컴퓨터에서 돌아가고, 사진은 보관하지 않아요. 버전 {$version}.

settings-title = 설정
settings-language = 언어
settings-language-auto = 사람마다 맞춤
settings-songs = 한 번에 추천할 노래 수
settings-explicit = 가사가 노골적인 노래
settings-here = 이 채널에서
settings-here-on = 답해요
settings-here-off = 조용히 있어요
settings-automatic = 여기 올라오는 모든 사진에 답하기
settings-person-cooldown = 사람별 대기 시간
settings-channel-cooldown = 채널별 대기 시간
settings-changers = 설정을 바꿀 수 있는 사람
settings-changers-managers = 관리자
settings-changers-everybody = 모두
settings-exploration = 선곡의 우연
settings-level = 👍 와 👎 에서 저장하는 것
on = 켜짐
off = 꺼짐
seconds = {$n}초
saved = 저장했어요.

privacy-title = 개인정보
privacy-photos = 사진은 메모리에서만 보고 절대 저장하지 않아요. 이름과 메시지도 마찬가지예요.
privacy-level = 누르신 버튼에서 저장하는 것: {$level}. 내가 허용한 것: {$chosen}. 이곳이 허용한 것: {$community}.
privacy-records = {$n ->
    [0] 회원님에 대해 저장된 것이 없어요.
   *[other] 기록 {$n}건이 회원님 ID의 키 기반 해시로 저장되어 있고, 최대 {$days}일 동안만 보관돼요.
}
privacy-discord = Discord에서 누르신 버튼은 Discord가 운영자에게 허락하지 않는 한 모델 학습에 절대 쓰지 않아요.
exploration-off = 없음
exploration-little = 조금
exploration-some = 보통
exploration-much = 많이
level-off = 없음
level-counts = 노래별 좋아요 수(누구인지는 빼고)
level-training = 누르신 버튼과 사진 태그(학습용)
level-unset = 이곳이 허용한 대로
privacy-export = 내 데이터 보기
privacy-erase = 내 데이터 삭제
privacy-set-off = 아무것도 저장 안 함
privacy-set-counts = 개수만
privacy-set-training = 학습 돕기
privacy-set-unset = 이곳을 따르기
privacy-erased = {$n ->
    [0] 지울 것이 없었어요.
   *[other] 기록 {$n}건을 지웠어요. 뒤늦게 오는 기록도 받지 않을게요.
}
privacy-exported = 회원님에 대해 저장된 것은 이게 전부예요.
notice-off = 👍 와 👎 는 여기서 다음 노래를 고를 때만 참고하고, 학습에는 쓰지 않아요. /privacy
notice-counts = 👍 와 👎 는 누구인지는 빼고 노래별로 세기만 해요. /privacy
notice-training = 👍 와 👎 는 모델 학습을 위해 사진 태그와 함께 회원님 ID의 키 기반 해시로 저장돼요. 거절하실 수 있어요: /privacy

# The page of the HTTP interface.
web-title = 사진에 어울리는 노래
web-lead = 사진을 놓으면 가사가 어울리는 노래와 그 이유를 보여 드려요.
web-photo = 사진
web-formats = JPEG, PNG, WebP, GIF, BMP, 최대 {$mib} MB. 메모리에서만 보고 보관하지 않아요.
web-hint = 사진에 덧붙일 한두 마디
web-hint-example = 비 오는 밤
web-choices = 더 고르기
web-languages = 노래의 언어
web-any = 상관없음
web-count = 노래 수
web-clean = 노골적인 노래 빼기
web-send = 노래 찾기
web-looking = 사진을 보고 있어요…
web-unreachable = 서버가 대답하지 않았어요. 다시 시도해 주세요.
web-programs = 프로그램용
web-key = API 키
web-wrong-key = 올바른 API 키가 필요해요.
web-no-photo = 먼저 사진을 고르면 어울리는 노래를 찾아 드릴게요.
web-answer = 사진에 어울리는 노래
web-regions = 살펴본 곳과 떠오른 낱말
web-songs = 어울리는 노래예요
web-photo-alt = 아래에 적은 영역을 번호 붙은 틀로 표시한 당신의 사진
