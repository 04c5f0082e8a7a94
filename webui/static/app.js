// What makes a page live. Without it, pages are whole and stand still.
import { keepTimes } from './time.js';
import { startLive } from './live.js';
import { startNotify } from './notify.js';
import { startSteps } from './steps.js';
import { startTheme } from './theme.js';
import { startKeys } from './keys.js';

document.documentElement.classList.add('scripted');
keepTimes();
startLive();
startNotify();
startSteps();
startTheme();
startKeys();
