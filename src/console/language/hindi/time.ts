import type { Texts } from '../texts.ts';

export const time: Texts['time'] = {
  seconds: (count) => `${count} से.`,
  minutes: (count) => `${count} मि.`,
  hours: (count) => `${count} घं.`,
  days: (count) => `${count} दिन`,

  timesIn: (zone) => `समय: ${zone}`,
  inIndia: (time) => `भारत में ${time}`,

  feed: {
    live: 'लाइव',
    'catching up': 'अपडेट हो रहा है',
    stale: 'पुराना',
  },
  feedMeanings: {
    live: 'आप मौजूदा स्थिति देख रहे हैं।',
    'catching up': 'हाल के बदलाव लोड हो रहे हैं।',
    stale: 'कनेक्शन नहीं है। जो दिख रहा है, वह पुराना हो सकता है। कनेक्शन अपने-आप फिर जोड़ा जा रहा है।',
  },
  noNewsSince: (time) => `${time} के बाद कोई ख़बर नहीं`,
};
