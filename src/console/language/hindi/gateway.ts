import type { ErrorCode } from '../../operations.ts';
import type { Texts } from '../texts.ts';
import { labels } from './labels.ts';

/**
 * Sentences of the gateway for staff, by their English text, so that what is shown is always what the gateway says: its
 * advice depends on circumstances that the console does not know. A test compares the keys with the gateway's tables.
 */
const SENTENCES: Readonly<Record<string, string>> = {
  // Explanations and advice of the status table.
  'The link for the customer exists.': 'ग्राहक के लिए लिंक तैयार है।',
  'Share the link with the customer.': 'लिंक ग्राहक को भेजें।',
  "The customer's Aadhaar was verified.": 'ग्राहक का आधार सत्यापित हो गया।',
  'Nothing to do: the customer goes on to the IP check.': 'कुछ नहीं करना है: ग्राहक अब IP जाँच पर जाएगा।',
  'The Aadhaar details could not be verified.': 'आधार की जानकारी सत्यापित नहीं हो सकी।',
  'Ask the customer to try again with correct details.': 'ग्राहक से सही जानकारी के साथ फिर कोशिश करने को कहें।',
  'The customer took too long over the Aadhaar step and it timed out.':
    'आधार वाले चरण में ग्राहक को ज़्यादा समय लगा और समय समाप्त हो गया।',
  'Ask the customer to start the Aadhaar step again.': 'ग्राहक से आधार वाला चरण फिर से शुरू करने को कहें।',
  "The customer's IP address passed the check.": 'ग्राहक का IP पता जाँच में सही निकला।',
  'Nothing to do: the customer goes on to the location check.': 'कुछ नहीं करना है: ग्राहक अब लोकेशन जाँच पर जाएगा।',
  'The customer is connecting through a proxy or VPN.': 'ग्राहक प्रॉक्सी या VPN से जुड़ा है।',
  'Ask the customer to switch the proxy or VPN off and try again.':
    'ग्राहक से प्रॉक्सी या VPN बंद करके फिर कोशिश करने को कहें।',
  'A passing technical problem stopped a step before the call.':
    'कॉल से पहले का एक चरण थोड़ी देर की तकनीकी समस्या से रुक गया।',
  "Ask the customer to try again after some time; if the problem persists, contact the provider's support and escalate the session.":
    'ग्राहक से कुछ देर बाद फिर कोशिश करने को कहें। समस्या बनी रहे, तो प्रदाता की सहायता टीम से संपर्क करें और सत्र को एस्केलेट करें।',
  'The customer was located inside India.': 'ग्राहक की लोकेशन भारत में है।',
  'Nothing to do: the customer goes on to the device checks.': 'कुछ नहीं करना है: ग्राहक अब डिवाइस जाँच पर जाएगा।',
  'The customer was located outside India, from where Video KYC is not allowed.':
    'ग्राहक की लोकेशन भारत से बाहर है, जहाँ से वीडियो KYC की अनुमति नहीं है।',
  'Reject the customer, or ask the customer to try again from inside India.':
    'ग्राहक को अस्वीकार करें, या उससे भारत में रहते हुए फिर कोशिश करने को कहें।',
  'The microphone is not available to the page.': 'पेज को माइक्रोफ़ोन नहीं मिल रहा है।',
  'Ask the customer to enable the microphone and try again.':
    'ग्राहक से माइक्रोफ़ोन चालू करके फिर कोशिश करने को कहें।',
  'The camera is not available to the page.': 'पेज को कैमरा नहीं मिल रहा है।',
  'Ask the customer to enable the camera and try again.': 'ग्राहक से कैमरा चालू करके फिर कोशिश करने को कहें।',
  'The customer has not allowed the page to read the location.': 'ग्राहक ने पेज को लोकेशन देखने की अनुमति नहीं दी है।',
  'Ask the customer to allow location access and try again.':
    'ग्राहक से लोकेशन की अनुमति देकर फिर कोशिश करने को कहें।',
  'Camera, microphone and device are ready for the call.': 'कैमरा, माइक्रोफ़ोन और डिवाइस कॉल के लिए तैयार हैं।',
  'Nothing to do: the customer goes on to the queue for an agent, or books a meeting.':
    'कुछ नहीं करना है: ग्राहक अब एजेंट की कतार में जाएगा या मीटिंग बुक करेगा।',
  'The customer is in the queue for an agent.': 'ग्राहक एजेंट की कतार में है।',
  'Wait until an agent is free.': 'किसी एजेंट के ख़ाली होने तक प्रतीक्षा करें।',
  'The time of the meeting has come and the customer is queued for it.':
    'मीटिंग का समय हो गया है और ग्राहक उसकी कतार में है।',
  'Wait until an agent takes the meeting.': 'किसी एजेंट के मीटिंग लेने तक प्रतीक्षा करें।',
  'No agent was available.': 'कोई एजेंट उपलब्ध नहीं था।',
  'Ask the customer to try again after some time, or book a meeting.':
    'ग्राहक से कुछ देर बाद फिर कोशिश करने को कहें, या मीटिंग बुक करें।',
  'An agent has taken the customer and is about to call.': 'एक एजेंट ने ग्राहक को ले लिया है और कॉल शुरू होने वाली है।',
  'Nothing to do: the customer is asked to join the call.':
    'कुछ नहीं करना है: ग्राहक से कॉल में जुड़ने को कहा जा रहा है।',
  'A meeting is booked.': 'मीटिंग बुक है।',
  'Tell the customer the time of the meeting.': 'ग्राहक को मीटिंग का समय बताएँ।',
  'The meeting was cancelled.': 'मीटिंग रद्द हो गई।',
  'Book another meeting, or ask the customer to try again through the queue.':
    'दूसरी मीटिंग बुक करें, या ग्राहक से कतार के ज़रिए फिर कोशिश करने को कहें।',
  'The customer accepted the meeting and has joined the call.': 'ग्राहक मीटिंग स्वीकार करके कॉल में जुड़ चुका है।',
  'Start the Video KYC in the call, then wait until the call ends.':
    'कॉल में वीडियो KYC शुरू करें, फिर कॉल समाप्त होने तक प्रतीक्षा करें।',
  'The customer declined the call.': 'ग्राहक ने कॉल ठुकरा दी।',
  'Book another meeting, or close the session as failed.': 'दूसरी मीटिंग बुक करें, या सत्र को विफल मानकर बंद करें।',
  'The customer did not come to the call.': 'ग्राहक कॉल में नहीं आया।',
  'Book another meeting, or ask the customer to try again.':
    'दूसरी मीटिंग बुक करें, या ग्राहक से फिर कोशिश करने को कहें।',
  'The customer left the call, or lost the connection to it.':
    'ग्राहक कॉल छोड़कर चला गया, या उसका कनेक्शन टूट गया।',
  'Note down what happened and have the cause investigated; the customer may come back, or you book another meeting.':
    'जो हुआ उसे नोट करें और कारण की जाँच कराएँ। ग्राहक लौट सकता है, या आप दूसरी मीटिंग बुक कर सकते हैं।',
  'The agent left the call, or lost the connection to it.': 'एजेंट कॉल छोड़कर चला गया, या उसका कनेक्शन टूट गया।',
  'Try the call again or give it to another agent: the customer joins the queue again, or you book another meeting.':
    'कॉल फिर से करें या दूसरे एजेंट को दें: ग्राहक फिर कतार में आए, या आप दूसरी मीटिंग बुक करें।',
  'The customer ended the call.': 'ग्राहक ने कॉल समाप्त की।',
  "Review whether the call was complete; then record the agent's decision, or book another meeting.":
    'देखें कि कॉल पूरी हुई या नहीं; फिर एजेंट का निर्णय दर्ज करें, या दूसरी मीटिंग बुक करें।',
  'The agent ended the call.': 'एजेंट ने कॉल समाप्त की।',
  "Review the agent's remarks; then record the agent's decision, or wait until the provider reports it.":
    'एजेंट की टिप्पणी देखें; फिर एजेंट का निर्णय दर्ज करें, या प्रदाता से उसकी सूचना आने तक प्रतीक्षा करें।',
  'The agent approved. This is provisional: only the auditor makes it final.':
    'एजेंट ने मंज़ूरी दी। यह अंतरिम है: अंतिम निर्णय केवल ऑडिटर का होता है।',
  "Go on to the auditor's review, or wait until the provider reports it; do not onboard the customer yet.":
    'ऑडिटर की समीक्षा करें, या प्रदाता से उसकी सूचना आने तक प्रतीक्षा करें। ग्राहक को अभी ऑनबोर्ड न करें।',
  'The agent rejected the customer.': 'एजेंट ने ग्राहक को अस्वीकार किया।',
  'Tell the customer the reason of the rejection; replace the session if another try makes sense.':
    'ग्राहक को अस्वीकार होने का कारण बताएँ। फिर कोशिश करना ठीक हो, तो सत्र बदलें।',
  'The agent could neither approve nor reject.': 'एजेंट न मंज़ूरी दे पाया, न अस्वीकार कर पाया।',
  'Try again with another agent in a further call, or in a new session that replaces this one.':
    'दूसरे एजेंट के साथ एक और कॉल में, या इसकी जगह नए सत्र में फिर कोशिश करें।',
  'The auditor approved: the verification succeeded, unless the session is disputed.':
    'ऑडिटर ने मंज़ूरी दी: सत्र विवादित न हो, तो सत्यापन सफल है।',
  'Record the verification as complete in your systems and onboard the customer; if the session is disputed, decide the dispute first.':
    'अपने सिस्टम में सत्यापन को पूरा दर्ज करें और ग्राहक को ऑनबोर्ड करें। सत्र विवादित हो, तो पहले विवाद सुलझाएँ।',
  'The auditor rejected: the verification failed.': 'ऑडिटर ने अस्वीकार किया: सत्यापन विफल रहा।',
  'Record the verification as failed in your systems and tell the customer; replace the session if another try makes sense.':
    'अपने सिस्टम में सत्यापन को विफल दर्ज करें और ग्राहक को बताएँ। फिर कोशिश करना ठीक हो, तो सत्र बदलें।',
  "The merchant's balance at the provider is too low.": 'प्रदाता के पास हमारा बैलेंस कम है।',
  'Add funds at the provider, then try again with a new session that replaces this one.':
    'प्रदाता के पास राशि जमा करें, फिर इसकी जगह नए सत्र में कोशिश करें।',
  'You closed the session and rejected the customer, without a decision of an auditor.':
    'आपने सत्र बंद करके ग्राहक को अस्वीकार किया; ऑडिटर ने निर्णय नहीं दिया।',
  'Tell the customer the reason of the closure.': 'ग्राहक को सत्र बंद होने का कारण बताएँ।',
  'A technical error stopped the session.': 'तकनीकी त्रुटि से सत्र रुक गया।',
  'Try again with a new session that replaces this one, or escalate the session.':
    'इसकी जगह नए सत्र में फिर कोशिश करें, या सत्र को एस्केलेट करें।',
  'You closed the session as failed, without a decision about the customer.':
    'आपने सत्र को विफल मानकर बंद किया; ग्राहक के बारे में निर्णय नहीं हुआ।',
  'Replace the session if another try makes sense.': 'फिर कोशिश करना ठीक हो, तो सत्र बदलें।',
  'Another session of the same person replaces this one.': 'इस सत्र की जगह उसी व्यक्ति का दूसरा सत्र है।',
  'Go on with the session that replaces this one.': 'इसकी जगह आए नए सत्र में काम जारी रखें।',
  'The link expired.': 'लिंक की समय सीमा समाप्त हो गई।',
  'Start a new session that replaces this one: it has a new link for the customer.':
    'इसकी जगह नया सत्र शुरू करें: उसमें ग्राहक के लिए नया लिंक होगा।',
  'The provider reported a state that this release of the gateway does not know.':
    'प्रदाता ने ऐसी स्थिति बताई जिसे गेटवे का यह संस्करण नहीं जानता।',
  'Look at rawStatus and rawSubStatus; the next recognised state moves the session on as usual.':
    'अगली जानी-पहचानी स्थिति आते ही सत्र सामान्य रूप से आगे बढ़ेगा। प्रदाता के मूल शब्द API में मिलते हैं।',

  // Advice of the circumstances in which that of the status table cannot be followed.
  "First decide the dispute: keep the session's decision, or accept the provider's. Do not onboard the customer before.":
    'पहले विवाद सुलझाएँ: सत्र का निर्णय बनाए रखें, या प्रदाता का निर्णय मानें। उससे पहले ग्राहक को ऑनबोर्ड न करें।',
  "The customer's link has expired. Start a new session that replaces this one: it has a new link for the customer.":
    'ग्राहक के लिंक की समय सीमा समाप्त हो गई है। इसकी जगह नया सत्र शुरू करें: उसमें ग्राहक के लिए नया लिंक होगा।',

  // Reasons of actions that are not available.
  'Another session replaces this one: act on that session.': 'इस सत्र की जगह दूसरा सत्र है: उसी पर काम करें।',
  'The session is over.': 'सत्र समाप्त हो चुका है।',
  'The session is assigned to another person, who works on it: only that person, an operator or an administrator may do this.':
    'यह सत्र किसी और को सौंपा गया है: यह काम केवल वही व्यक्ति, ऑपरेटर या एडमिन कर सकता है।',
  'The session is not assigned.': 'सत्र किसी को सौंपा नहीं गया है।',
  'This person could not validate the customer: another agent must take the session.':
    'इस व्यक्ति से ग्राहक की पुष्टि नहीं हो सकी थी: सत्र किसी दूसरे एजेंट को लेना होगा।',
  'This person reviewed the session as agent, or accepted its approval: another person must audit it (four-eyes rule).':
    'इस व्यक्ति ने एजेंट के रूप में समीक्षा की है, या मंज़ूरी मानी है: ऑडिट किसी दूसरे व्यक्ति को करना होगा (दो व्यक्तियों का नियम)।',
  'The call has ended and waits for its review: only staff may book another meeting now.':
    'कॉल समाप्त हो चुकी है और समीक्षा बाकी है: दूसरी मीटिंग अब केवल स्टाफ़ बुक कर सकता है।',
  "You reviewed, closed or replaced this session, or accepted the provider's decision in an earlier dispute: another person must resolve the dispute (four-eyes rule).":
    'आपने इस सत्र की समीक्षा की, इसे बंद किया या बदला, या पिछले विवाद में प्रदाता का निर्णय माना: विवाद किसी दूसरे व्यक्ति को सुलझाना होगा (दो व्यक्तियों का नियम)।',
  "The customer's link has expired: start a new session.":
    'ग्राहक के लिंक की समय सीमा समाप्त हो गई है: नया सत्र शुरू करें।',
  'The customer booked the meeting at the provider, whose API cannot move it: the customer must move it there.':
    'ग्राहक ने मीटिंग प्रदाता के यहाँ बुक की है, जिसका API उसका समय नहीं बदल सकता: ग्राहक को वहीं समय बदलना होगा।',
  'The customer booked the meeting at the provider, whose API cannot cancel it: ask the customer to cancel it there.':
    'ग्राहक ने मीटिंग प्रदाता के यहाँ बुक की है, जिसका API उसे रद्द नहीं कर सकता: ग्राहक से वहीं रद्द करने को कहें।',
  'No meeting is booked.': 'कोई मीटिंग बुक नहीं है।',
  'The meeting has already begun.': 'मीटिंग शुरू हो चुकी है।',
  'The video call is in progress.': 'वीडियो कॉल चल रही है।',
  'Another call must take place first.': 'पहले एक और कॉल होनी चाहिए।',
  'The agent has already decided.': 'एजेंट निर्णय दे चुका है।',
  'An agent review is possible only after a call has ended.':
    'एजेंट की समीक्षा कॉल समाप्त होने के बाद ही हो सकती है।',
  'The session is disputed: resolve the dispute first.': 'सत्र विवादित है: पहले विवाद सुलझाएँ।',
  'An auditor review is possible only after an agent has approved.':
    'ऑडिटर की समीक्षा एजेंट की मंज़ूरी के बाद ही हो सकती है।',
  "The customer's personal data was erased: the recording is not shown.":
    'ग्राहक का निजी डेटा मिटाया जा चुका है: रिकॉर्डिंग नहीं दिखाई जाती।',
  'The recording exists only after a call has ended.': 'रिकॉर्डिंग कॉल समाप्त होने के बाद ही मिलती है।',
  'The provider has not assigned a reference id yet: refresh the session.':
    'प्रदाता ने अभी रेफ़रेंस ID नहीं दी है: सत्र को ताज़ा करें।',
  'The session is closed already.': 'सत्र पहले ही बंद है।',
  'The customer was approved: an approved session cannot be replaced.':
    'ग्राहक को मंज़ूरी मिल चुकी है: मंज़ूर सत्र बदला नहीं जा सकता।',
  'The session is not disputed.': 'सत्र विवादित नहीं है।',
  'The session is escalated already: resolve the escalation first.': 'सत्र पहले से एस्केलेट है: पहले एस्केलेशन निपटाएँ।',
  'The session is not escalated.': 'सत्र एस्केलेट नहीं है।',
  'You recorded an agent review of this session: another person must audit it (four-eyes rule).':
    'इस सत्र की एजेंट समीक्षा आपने दर्ज की है: ऑडिट किसी दूसरे व्यक्ति को करना होगा (दो व्यक्तियों का नियम)।',
  "You accepted the agent's approval by deciding a dispute: another person must audit it (four-eyes rule).":
    'विवाद सुलझाते समय आपने एजेंट की मंज़ूरी मानी थी: ऑडिट किसी दूसरे व्यक्ति को करना होगा (दो व्यक्तियों का नियम)।',
  'The agent approved at the provider and is unknown to the gateway, so the auditor could be the same person (four-eyes rule): wait until the provider reports the decision of its auditor.':
    'एजेंट ने प्रदाता के यहाँ मंज़ूरी दी और गेटवे उसे नहीं जानता, इसलिए ऑडिटर वही व्यक्ति हो सकता है (दो व्यक्तियों का नियम): प्रदाता से उसके ऑडिटर का निर्णय आने तक प्रतीक्षा करें।',

  'The start time is in the past: choose a time in the future.': 'चुना हुआ समय बीत चुका है: आगे का समय चुनें।',
  'This decision is not possible in the current status.': 'मौजूदा स्थिति में यह निर्णय नहीं दिया जा सकता।',
  'You stated that the call was not complete, so it cannot be approved.':
    'आपने बताया कि कॉल पूरी नहीं हुई, इसलिए इसे मंज़ूरी नहीं दी जा सकती।',
  'The customer ended the call: it can be approved only with your statement that it was complete (`callComplete: true`).':
    'ग्राहक ने कॉल समाप्त की: मंज़ूरी तभी दी जा सकती है, जब आप बताएँ कि कॉल पूरी हुई।',
  'The customer ended the call: state whether it was complete (`callComplete`).':
    'ग्राहक ने कॉल समाप्त की: बताएँ कि वह पूरी हुई या नहीं।',
  "The provider's newest status does not contradict the session any more: keep the session's decision (KEEP_OURS).":
    'प्रदाता की नई स्थिति अब सत्र के उलट नहीं है: हमारा निर्णय बनाए रखें।',

  // Reasons of transitions that did not change the status.
  'The provider had already reported a newer status.': 'प्रदाता इससे नई स्थिति पहले ही बता चुका था।',
  'It concerns a call that has already been reviewed.': 'यह ऐसी कॉल के बारे में है जिसकी समीक्षा हो चुकी है।',
  'The session had already ended.': 'सत्र पहले ही समाप्त हो चुका था।',
  "It contradicts the session's decision: a person must check the session.":
    'यह सत्र के निर्णय के उलट है: किसी व्यक्ति को सत्र की जाँच करनी होगी।',
  "It contradicts the session's decision, but the provider had already reported a newer status: a person must check the session.":
    'यह सत्र के निर्णय के उलट है, पर प्रदाता इससे नई स्थिति पहले ही बता चुका था: किसी व्यक्ति को सत्र की जाँच करनी होगी।',
  'It records a change of a meeting or of the remarks of a review; the status did not change.':
    'इसमें मीटिंग या समीक्षा की टिप्पणी का बदलाव दर्ज है; स्थिति नहीं बदली।',
  'It records a note of staff; the status did not change.': 'इसमें स्टाफ़ का नोट दर्ज है; स्थिति नहीं बदली।',
  'It records that staff escalated the session; the status did not change.':
    'इसमें दर्ज है कि स्टाफ़ ने सत्र को एस्केलेट किया; स्थिति नहीं बदली।',
  'It records that staff resolved the escalation; the status did not change.':
    'इसमें दर्ज है कि स्टाफ़ ने एस्केलेशन निपटाया; स्थिति नहीं बदली।',
  'It records who works on the session; the status did not change.':
    'इसमें दर्ज है कि सत्र पर कौन काम करता है; स्थिति नहीं बदली।',
  'It records that nobody works on the session any more; the status did not change.':
    'इसमें दर्ज है कि सत्र पर अब कोई काम नहीं करता; स्थिति नहीं बदली।',
  'It records that a notification of the customer was requested; the status did not change.':
    'ग्राहक को सूचित करने का अनुरोध दर्ज हुआ; स्थिति नहीं बदली।',
  "The customer's personal data was erased: the customer cannot be notified.":
    'ग्राहक का निजी डेटा मिटा दिया गया है: ग्राहक को सूचित नहीं किया जा सकता।',
  'No way to notify customers is configured: set SMTP_URL, or an endpoint in WEBHOOK_ENDPOINTS that gets customer.notification_requested.':
    'ग्राहकों को सूचित करने का कोई तरीका सेट नहीं है: SMTP_URL सेट करें, या WEBHOOK_ENDPOINTS में customer.notification_requested पाने वाला एंडपॉइंट।',
  'The customer has no e-mail address, and no endpoint in WEBHOOK_ENDPOINTS gets customer.notification_requested.':
    'ग्राहक का ईमेल पता नहीं है, और WEBHOOK_ENDPOINTS का कोई एंडपॉइंट customer.notification_requested नहीं पाता।',
  'No meeting was cancelled.': 'कोई मीटिंग रद्द नहीं हुई।',
  'No decision has been made that the customer may learn.': 'ऐसा कोई निर्णय नहीं हुआ है जो ग्राहक को बताया जा सके।',
  'It records that staff changed the metadata or the tags; the status did not change.':
    'इसमें दर्ज है कि स्टाफ़ ने मेटाडेटा या टैग बदले; स्थिति नहीं बदली।',

  // Error messages of form fields. Each completes a sentence that begins with the name of the field.
  'must not be empty': 'ख़ाली नहीं हो सकता',
  'must have a visible character': 'में कम से कम एक दिखने वाला अक्षर होना चाहिए',
  'must be 1 to 50 characters of A-Z a-z 0-9 . _ -': 'में केवल A-Z a-z 0-9 . _ - के 1 से 50 अक्षर हो सकते हैं',
  'must be 10 digits, without country code': 'में देश के कोड के बिना 10 अंक होने चाहिए',
  'must have a phone, or the userId of a person whom the provider knows':
    'के लिए फ़ोन, या प्रदाता के जाने हुए व्यक्ति की यूज़र ID चाहिए',
  'must be an email address': 'में सही ईमेल पता होना चाहिए',
  'must be within a year': 'एक साल के भीतर होना चाहिए',
  'must say why another meeting is needed before the ended call is reviewed':
    'में बताएँ कि समाप्त कॉल की समीक्षा से पहले दूसरी मीटिंग क्यों चाहिए',
  'must not be empty if the reason is OTHER': '"अन्य" कारण के साथ ख़ाली नहीं हो सकता',
  'must not begin or end with white space': 'के आगे या पीछे ख़ाली जगह नहीं हो सकती',
  'must be one line, without control characters': 'एक ही पंक्ति में होना चाहिए',
  'must not repeat another tag': 'में कोई टैग दोहराया नहीं जा सकता',
  'must not repeat the key of another entry': 'में कोई कुंजी दोहराई नहीं जा सकती',
};

/** Sentences with values, each with the Hindi sentence of the values. */
const PATTERNS: readonly (readonly [RegExp, (...values: string[]) => string])[] = [
  [
    /^Your token lacks a role for this action: one of ([A-Z, ]+) is needed\.$/,
    (roles) => `इस काम के लिए इनमें से कोई भूमिका चाहिए: ${translateRoles(roles)}।`,
  ],
  [/^must have at most ([\d,]+) characters$/, (most) => `में ज़्यादा से ज़्यादा ${most} अक्षर हो सकते हैं`],
  [/^must have at most ([\d,]+) entries$/, (most) => `में ज़्यादा से ज़्यादा ${most} प्रविष्टियाँ हो सकती हैं`],
];

const translateRoles = (names: string): string =>
  names
    .split(', ')
    .map((name) => (labels.roles as Readonly<Record<string, string>>)[name] ?? name)
    .join(', ');

/** Meaning of each code with which the gateway refuses a mutation. */
const REFUSALS: Readonly<Record<ErrorCode, string>> = {
  INVALID_INPUT: 'भरी गई जानकारी में कुछ ठीक नहीं है। उसे सुधारकर फिर भेजें।',
  NOT_FOUND: 'यह सत्र मौजूद नहीं है, या आपको इसे देखने की अनुमति नहीं है।',
  ACTION_NOT_ALLOWED: 'सत्र की मौजूदा स्थिति में यह काम नहीं किया जा सकता।',
  TIME_UNAVAILABLE: 'इस समय मीटिंग बुक नहीं हो सकती: यह काम के घंटों से बाहर है, या सभी जगहें भर चुकी हैं।',
  VERSION_CONFLICT: 'आपके देखने के बाद सत्र बदल गया है। मौजूदा स्थिति देखकर फिर निर्णय लें।',
  IDEMPOTENCY_CONFLICT: 'यही अनुरोध पहले अलग जानकारी के साथ भेजा जा चुका है। नई ID के साथ फिर भेजें।',
  VERIFICATION_ID_TAKEN: 'यह सत्यापन ID किसी और सत्र की है। दूसरी ID चुनें।',
  PROVIDER_REFUSED: 'प्रदाता ने अनुरोध ठुकरा दिया।',
  PROVIDER_UNAVAILABLE: 'प्रदाता से जवाब नहीं मिला। कुछ देर बाद फिर कोशिश करें।',
};

/** Meaning of the codes with which a request fails. Other codes are faults of the console itself. */
const FAILURES: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'आपका टोकन स्वीकार नहीं हुआ। नए टोकन से साइन इन करें।',
  FORBIDDEN: 'आपकी भूमिका को इसकी अनुमति नहीं है।',
  RATE_LIMITED: 'बहुत ज़्यादा अनुरोध भेजे गए। कुछ देर बाद फिर कोशिश करें।',
  SERVICE_UNAVAILABLE: 'सेवा अभी उपलब्ध नहीं है। कुछ देर बाद फिर कोशिश करें।',
  TIMEOUT: 'जवाब आने में बहुत देर लगी। कुछ देर बाद फिर कोशिश करें।',
  INTERNAL_SERVER_ERROR: 'गेटवे में गड़बड़ी हुई। नीचे दी गई ID अपने व्यवस्थापक को बताएँ।',
};

const MEANINGS: Readonly<Record<string, string>> = { ...FAILURES, ...REFUSALS };

const UNKNOWN = 'अनुरोध पूरा नहीं हो सका। गेटवे का संदेश:';

export const gateway: Texts['gateway'] = {
  translate: (sentence) => {
    if (Object.hasOwn(SENTENCES, sentence)) return SENTENCES[sentence] ?? null;
    for (const [pattern, say] of PATTERNS) {
      const found = pattern.exec(sentence);
      if (found) return say(...found.slice(1));
    }
    return null;
  },
  explain: (code) => (Object.hasOwn(MEANINGS, code) && MEANINGS[code]) || UNKNOWN,
};
