// A classic script, so that the theme stands before anything is painted.
document.documentElement.dataset['theme'] = localStorage.getItem('theme') ?? '';
