import { Drawer, type DrawerProps, Grid } from 'antd';
import { useTranslation } from 'react-i18next';

/** A drawer at the end of the line's direction; on a phone it takes the whole width. */
export function SideDrawer({ size = 640, ...props }: Omit<DrawerProps, 'placement'>) {
  const { i18n } = useTranslation();
  const screens = Grid.useBreakpoint();
  return <Drawer placement={i18n.dir() === 'rtl' ? 'left' : 'right'} size={screens.sm ? size : '100%'} {...props} />;
}
